#pragma once

#include <string>

#include "fi/claims/report_data.h"

namespace fi {

// One row per feature and per claim, with full-precision numbers, for spreadsheets and data frames.

std::string features_csv(const Report& report);
/// The columns of features.csv with their types: text, int64 or double; null where the CSV has an empty cell for an absent value.
std::string features_parquet(const Report& report);
std::string claims_csv(const Report& report);

}  // namespace fi
