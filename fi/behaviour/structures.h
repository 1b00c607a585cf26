#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fi/behaviour/text_view.h"

namespace fi {

/// A yes-or-no property of an answer that a regular expression cannot say, such as "json" or "repetition_loop".
using Structure = bool (*)(const TextView& prompt, const TextView& answer);

/// nullptr if there is none of this name. fi/behaviour/README.md lists them.
Structure find_structure(std::string_view name);
std::vector<std::string> structure_names();

}  // namespace fi
