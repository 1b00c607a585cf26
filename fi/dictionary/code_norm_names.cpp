#include "fi/dictionary/code_norm_names.h"

#include "fi/core/error.h"

namespace fi {

const std::map<std::string, CodeNorm>& code_norm_names() {
  static const std::map<std::string, CodeNorm> names = {
      {"CROSSCODER", CodeNorm::kCrosscoder}, {"SAE", CodeNorm::kSae}, {"MIXED", CodeNorm::kMixed}, {"NONE", CodeNorm::kNone}};
  return names;
}

const std::string& code_norm_name(CodeNorm norm) {
  for (const auto& [name, value] : code_norm_names()) {
    if (value == norm) return name;
  }
  fail(ErrorCode::kInternal, "no name for a code norm");
}

}  // namespace fi
