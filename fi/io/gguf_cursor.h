#pragma once

#include <cstdint>
#include <cstring>
#include <string>

#include "fi/core/error.h"
#include "fi/io/mapped_file.h"

namespace fi {

/// Reads forward through the mapped bytes; every step is checked against what remains.
class GgufCursor {
 public:
  explicit GgufCursor(const MappedFile& file) : file_(file) {}

  template <typename T>
  T read() {
    need(sizeof(T));
    T value;
    std::memcpy(&value, file_.bytes().data() + offset_, sizeof value);
    offset_ += sizeof value;
    return value;
  }

  std::string read_string(uint64_t max_bytes) {
    const auto length = read<uint64_t>();
    if (length > max_bytes) reject(fmt::format("string of {} bytes, more than {}", length, max_bytes));
    need(length);
    std::string text(reinterpret_cast<const char*>(file_.bytes().data()) + offset_, length);
    offset_ += length;
    return text;
  }

  /// Takes `count` array elements from what the whole file may hold: ours are wider than those in the file.
  void take_elements(uint64_t count, uint64_t size_bytes) {
    if (count > remaining() / size_bytes) reject(fmt::format("array of {} values does not fit into the file", count));
    if (count > elements_left_) reject(fmt::format("arrays of more than {} values in all", kMaxElements));
    elements_left_ -= count;
  }

  uint64_t remaining() const { return file_.size() - offset_; }
  uint64_t offset() const { return offset_; }

  [[noreturn]] void reject(const std::string& rule) const {
    fail(ErrorCode::kInvalid, "[gguf] {} at byte {}: {}; download the file again or re-convert it.", file_.path().string(),
         offset_, rule);
  }

 private:
  void need(uint64_t count) const {
    if (count > remaining()) reject(fmt::format("{} more bytes expected, {} remain (truncated)", count, remaining()));
  }

  static constexpr uint64_t kMaxElements = 1u << 24;

  const MappedFile& file_;
  uint64_t offset_ = 0;
  uint64_t elements_left_ = kMaxElements;
};

}  // namespace fi
