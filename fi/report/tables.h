#pragma once

#include <string>

#include "fi/claims/report_data.h"

namespace fi {

// One row per feature and per claim, with full-precision numbers, for spreadsheets and data frames.

std::string features_csv(const Report& report);
std::string claims_csv(const Report& report);

}  // namespace fi
