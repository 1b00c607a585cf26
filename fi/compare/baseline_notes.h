#pragma once

#include <string>

#include "fi/core/json.h"

namespace fi {

/// Who removes more of the KL with the same number of directions, a simple method or the crosscoder, from the rows of
/// baselines.json; says so where the simple one wins. Empty without rows.
std::string baselines_sentence(const Json& rows);

/// How the report's settings show a race: {"result": the sentence, "measured": what the numbers are, "<method>, <n> directions":
/// "62% of the KL (55% to 70%), 15.5% a direction; tells prompts apart 0.91"}. kInvalid for other rows.
Json baseline_notes(const Json& rows);

}  // namespace fi
