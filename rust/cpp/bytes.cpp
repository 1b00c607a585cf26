#include "rust/cpp/bytes.h"

#include "fi/core/error.h"

namespace fi {

std::string take_bytes(FiBytes bytes) {
  std::string text(reinterpret_cast<const char*>(bytes.data), bytes.size);
  fi_rs_free(bytes);
  return text;
}

std::string take_result(int32_t code, FiBytes bytes, std::string_view operation, std::string_view where) {
  std::string text = take_bytes(bytes);
  check(code == 0, ErrorCode::kInvalid, "[{}] {}: {}.", operation, where, text);
  return text;
}

}  // namespace fi
