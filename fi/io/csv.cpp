#include "fi/io/csv.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include <fmt/format.h>

namespace fi {
namespace {

bool is_number(const std::string& cell) {
  char* end = nullptr;
  std::strtod(cell.c_str(), &end);
  return end == cell.c_str() + cell.size();
}

// Spreadsheets skip blanks in front of a formula, and some take the full-width signs for plain ones.
bool looks_like_formula(std::string_view cell) {
  if (cell.find_first_of("\t\r\n") == 0) return true;
  const std::string_view text = cell.substr(std::min(cell.find_first_not_of(' '), cell.size()));
  constexpr std::string_view kSigns[] = {"=", "+", "-", "@", "\uFF1D", "\uFF0B", "\uFF0D", "\uFF20"};
  return std::any_of(std::begin(kSigns), std::end(kSigns), [&](std::string_view sign) { return text.starts_with(sign); });
}

std::string csv_cell(std::string cell) {
  if (looks_like_formula(cell) && !is_number(cell)) cell.insert(cell.begin(), '\'');
  if (cell.find_first_of(",\"\n\r") == std::string::npos) return cell;
  std::string quoted = "\"";
  for (const char c : cell) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string cell_text(const TableColumn& column, size_t row) {
  return std::visit(
      [row](const auto& cells) -> std::string {
        const auto& cell = cells[row];
        return cell ? fmt::format("{}", *cell) : std::string();
      },
      column.cells);
}

}  // namespace

std::string csv_row(const std::vector<std::string>& cells) {
  std::string row;
  for (size_t i = 0; i < cells.size(); ++i) row += (i > 0 ? "," : "") + csv_cell(cells[i]);
  return row + "\n";
}

std::string csv_table(std::span<const TableColumn> columns) {
  std::vector<std::string> cells;
  for (const TableColumn& column : columns) cells.push_back(column.name);
  std::string csv = csv_row(cells);
  const size_t num_rows = columns.empty() ? 0 : columns.front().num_rows();
  for (size_t row = 0; row < num_rows; ++row) {
    for (size_t i = 0; i < columns.size(); ++i) cells[i] = cell_text(columns[i], row);
    csv += csv_row(cells);
  }
  return csv;
}

}  // namespace fi
