#pragma once

#include <string>
#include <vector>

namespace fi {

/// One row with its newline. Cells are quoted where needed; cells that a spreadsheet would run as a formula get a leading
/// apostrophe.
std::string csv_row(const std::vector<std::string>& cells);

}  // namespace fi
