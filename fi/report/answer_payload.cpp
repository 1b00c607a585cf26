#include "fi/report/answer_payload.h"

#include <algorithm>
#include <cmath>

#include "fi/report/text.h"

namespace fi {
namespace {

int64_t utf16_units(const std::string& text) {
  int64_t units = 0;
  for (const char32_t code : code_points(text)) units += code > 0xFFFF ? 2 : 1;
  return units;
}

int64_t hundredths_of_nats(double nats) { return std::isfinite(nats) ? std::lround(100 * std::clamp(nats, 0.0, 1e4)) : 0; }

// Nothing unless the tokens are the answer: a colour on other words would be worse than none.
Json token_columns(const std::optional<AnswerKl>& kl, const std::string& answer) {
  if (!kl || kl->tokens.empty() || kl->tokens.size() != kl->nats.size()) return nullptr;
  std::string whole;
  Json lengths = Json::array(), values = Json::array();
  for (size_t i = 0; i < kl->tokens.size(); ++i) {
    const std::string token = clean_text(kl->tokens[i]);
    whole += token;
    lengths.push_back(utf16_units(token));
    values.push_back(hundredths_of_nats(kl->nats[i]));
  }
  if (whole != clean_text(answer)) return nullptr;
  return {lengths, values};
}

}  // namespace

std::string answer_payload(const Report& report) {
  std::string lines;
  bool any = false;
  for (const AnswerExample& answer : report.answers) {
    const Json line = {token_columns(answer.base_kl, answer.base_output), token_columns(answer.target_kl, answer.target_output)};
    any = any || !line[0].is_null() || !line[1].is_null();
    lines += line.dump() + "\n";
  }
  return any ? lines : "";
}

}  // namespace fi
