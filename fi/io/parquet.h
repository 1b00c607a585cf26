#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "fi/io/table.h"

namespace fi {

/// The bytes of a Parquet file (Snappy, one row group): int64, double and string columns that may hold nulls. Equal columns give
/// equal bytes. kInvalid for text that is not UTF-8, kInternal for columns of unequal length.
std::string parquet_bytes(std::span<const TableColumn> columns);

/// Goes through one column of a Parquet file (uncompressed, Snappy, gzip or Zstandard), a few hundred rows at a time.
class ParquetRows {
 public:
  /// Takes the first of the `wanted` columns that the file has. kInvalid for a file that is damaged or has none of them;
  /// `operation` opens the message.
  ParquetRows(const std::filesystem::path& path, std::span<const std::string> wanted, std::string_view operation);
  ~ParquetRows();

  /// The next rows as JSON lines, {"column": value} each; empty at the end. kInvalid, with the row, for a value that is neither
  /// null, truth value, number, text nor a list or group of these, and for damage.
  std::string next_lines();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace fi
