#include "fi/io/csv.h"

namespace fi {
namespace {

bool is_number(const std::string& cell) { return cell.find_first_not_of("+-0123456789.eE") == std::string::npos; }

std::string csv_cell(std::string cell) {
  const bool looks_like_formula = !cell.empty() && std::string("=+-@\t\r").find(cell[0]) != std::string::npos;
  if (looks_like_formula && !is_number(cell)) cell.insert(cell.begin(), '\'');
  if (cell.find_first_of(",\"\n\r") == std::string::npos) return cell;
  std::string quoted = "\"";
  for (const char c : cell) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace

std::string csv_row(const std::vector<std::string>& cells) {
  std::string row;
  for (size_t i = 0; i < cells.size(); ++i) row += (i > 0 ? "," : "") + csv_cell(cells[i]);
  return row + "\n";
}

}  // namespace fi
