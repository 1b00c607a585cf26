#pragma once

#include <string>

#include "fi/claims/report_data.h"

namespace fi {

/// What the page's script colours answers with, a line of JSON for each of `report.answers`: for the base's and the target's
/// answer the length of each token, in UTF-16 units of the text that the page shows, and its KL in hundredths of a nat. Null for
/// an answer without values, and an empty text if no answer has any. Digits and brackets only.
std::string answer_payload(const Report& report);

}  // namespace fi
