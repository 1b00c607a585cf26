#pragma once

#include <span>
#include <string>
#include <vector>

#include "fi/io/table.h"

namespace fi {

/// One row with its newline. Cells are quoted where needed; cells that a spreadsheet would run as a formula get a leading
/// apostrophe.
std::string csv_row(const std::vector<std::string>& cells);

/// A row of names, then the rows of columns of equal length. Numbers keep all their digits; a cell without a value is empty.
std::string csv_table(std::span<const TableColumn> columns);

}  // namespace fi
