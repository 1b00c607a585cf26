#pragma once

#include <filesystem>
#include <fstream>
#include <string_view>
#include <vector>

#include "fi/core/json.h"

namespace fi {

/// All rows of a JSON-lines file; an absent file has none. A last line without newline was torn by a crash and is left out.
/// Any other malformed line is a kInvalid error that gives its number.
std::vector<Json> read_jsonl(const std::filesystem::path& path, std::string_view operation);

/// Appends rows to a JSON-lines file; a torn last line is cut off on opening, so that a resumed run continues cleanly.
class JsonlAppender {
 public:
  explicit JsonlAppender(const std::filesystem::path& path);
  void append(const Json& row);
  /// Hands what was appended to the system. kDisk on failure.
  void flush();

 private:
  std::filesystem::path path_;
  std::ofstream file_;
};

}  // namespace fi
