#pragma once

#include <string>
#include <vector>

#include "fi/claims/report_data.h"

namespace fi {

/// Who removes more of the KL with the same number of directions, a simple method or the crosscoder; says so where the simple one
/// wins. Empty without a simple method among the rows.
std::string baselines_sentence(const std::vector<BaselineRow>& rows);

}  // namespace fi
