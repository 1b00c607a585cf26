#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fi {

struct DetectedLanguage {
  std::string code;         // ISO 639-3, such as "fra"
  double confidence = 0.0;  // 0..1
  bool reliable = false;
};

/// The language of a text by character trigrams; nothing for text without letters.
std::optional<DetectedLanguage> detect_language(std::string_view utf8_text);

}  // namespace fi
