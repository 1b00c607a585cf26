#include "fi/io/parquet.h"

#include "fi/core/error.h"
#include "rust/cpp/bytes.h"

namespace fi {
namespace {

int32_t kind_of(const TableColumn& column) {
  if (std::holds_alternative<TableColumn::Integers>(column.cells)) return FI_INTEGERS;
  return std::holds_alternative<TableColumn::Numbers>(column.cells) ? FI_NUMBERS : FI_TEXTS;
}

/// A column as plain arrays, which `FiColumn` points into.
struct FlatColumn {
  std::string_view name;
  int32_t kind;
  std::vector<uint8_t> present;
  std::vector<int64_t> integers;
  std::vector<double> numbers;
  std::string text;
  std::vector<size_t> text_ends;

  explicit FlatColumn(const TableColumn& column) : name(column.name), kind(kind_of(column)) {
    std::visit(
        [this](const auto& cells) {
          for (const auto& cell : cells) {
            present.push_back(cell ? 1 : 0);
            add(cell.value_or(typename std::decay_t<decltype(cell)>::value_type()));
          }
        },
        column.cells);
  }

  FiColumn view() const {
    return {.name = rust_data(name),
            .name_size = name.size(),
            .kind = kind,
            .present = present.data(),
            .integers = integers.data(),
            .numbers = numbers.data(),
            .text = rust_data(text),
            .text_ends = text_ends.data()};
  }

 private:
  void add(int64_t value) { integers.push_back(value); }
  void add(double value) { numbers.push_back(value); }
  void add(std::string_view value) {
    text += value;
    text_ends.push_back(text.size());
  }
};

}  // namespace

std::string parquet_bytes(std::span<const TableColumn> columns) {
  const size_t num_rows = columns.empty() ? 0 : columns.front().num_rows();
  std::vector<FlatColumn> flat;
  for (const TableColumn& column : columns) {
    invariant(column.num_rows() == num_rows, "[write table] column {} has {} rows, expected {}.", column.name, column.num_rows(),
              num_rows);
    flat.emplace_back(column);
  }
  std::vector<FiColumn> views;
  for (const FlatColumn& column : flat) views.push_back(column.view());
  FiBytes out{};
  const int32_t code = fi_rs_write_parquet(views.data(), views.size(), num_rows, &out);
  return take_result(code, out, "write table", "a Parquet table");
}

struct ParquetRows::State {
  FiParquetRows* rows = nullptr;
  std::string operation;
  std::string where;
};

ParquetRows::ParquetRows(const std::filesystem::path& path, std::span<const std::string> wanted, std::string_view operation)
    : state_(std::make_unique<State>(State{.operation = std::string(operation), .where = path.string()})) {
  const std::string names = fmt::format("{}", fmt::join(wanted, "\n"));
  FiBytes error{};
  const int32_t code = fi_rs_parquet_rows_new(rust_data(state_->where), state_->where.size(), rust_data(names), names.size(),
                                              &state_->rows, &error);
  take_result(code, error, operation, state_->where);
}

ParquetRows::~ParquetRows() { fi_rs_parquet_rows_free(state_->rows); }

std::string ParquetRows::next_lines() {
  FiBytes out{};
  const int32_t code = fi_rs_parquet_rows_next(state_->rows, &out);
  return take_result(code, out, state_->operation, state_->where);
}

}  // namespace fi
