#include "rust/cpp/language.h"

#include <sstream>

#include "rust/cpp/bytes.h"

namespace fi {

std::optional<DetectedLanguage> detect_language(std::string_view utf8_text) {
  FiBytes out{};
  const int32_t code = fi_rs_detect_language(rust_data(utf8_text), utf8_text.size(), &out);
  const std::string text = take_bytes(out);
  if (code != 0 || text.empty()) return std::nullopt;  // bytes that are no UTF-8 have no language
  DetectedLanguage language;
  int reliable = 0;
  std::istringstream(text) >> language.code >> language.confidence >> reliable;
  language.reliable = reliable == 1;
  return language;
}

}  // namespace fi
