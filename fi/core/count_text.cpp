#include "fi/core/count_text.h"

namespace fi {

std::string count_text(int64_t count) {
  std::string digits = std::to_string(count);
  const int64_t stop = digits[0] == '-' ? 1 : 0;
  for (int64_t at = static_cast<int64_t>(digits.size()) - 3; at > stop; at -= 3) digits.insert(static_cast<size_t>(at), ",");
  return digits;
}

}  // namespace fi
