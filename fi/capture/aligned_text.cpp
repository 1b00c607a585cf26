#include "fi/capture/aligned_text.h"

#include <algorithm>

namespace fi {
namespace {

/// One model's ids, with the bytes of prompt and answer that each covers; empty spans for what the template added.
struct Reading {
  TracedText text;
  std::vector<ByteSpan> prompt;  // [answer_start]
  std::vector<ByteSpan> answer;  // [num_ids - answer_start], from the answer's first byte on
};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r\n";
  const size_t first = text.find_first_not_of(kSpaces);
  return first == std::string_view::npos ? text.substr(0, 0) : text.substr(first, text.find_last_not_of(kSpaces) + 1 - first);
}

// A token that reaches from the prompt into the template has read more than the prompt, and has no partner.
std::vector<ByteSpan> prompt_spans(const PromptEncoding& read, std::string_view prompt) {
  const std::string_view core = trimmed(prompt);
  const size_t place = read.text.rfind(core);
  std::vector<ByteSpan> spans(read.encoding.spans.size(), {0, 0});
  if (core.empty() || place == std::string::npos) return spans;
  const auto lead = static_cast<size_t>(core.data() - prompt.data());
  for (size_t i = 0; i < spans.size(); ++i) {
    const auto [begin, end] = read.encoding.spans[i];
    if (end > place && end <= place + core.size()) spans[i] = {std::max(begin, place) - place + lead, end - place + lead};
  }
  return spans;
}

Reading read(const Tokenizer& tokenizer, const std::string& prompt, const std::string& answer, const std::string& category) {
  const PromptEncoding asked = tokenizer.encode_rendered(prompt);
  const Encoding answered = tokenizer.encode(answer, false);
  Reading reading{.text = {.ids = asked.encoding.ids, .category = category}};
  reading.text.answer_start = static_cast<int64_t>(asked.encoding.ids.size());
  reading.text.ids.insert(reading.text.ids.end(), answered.ids.begin(), answered.ids.end());
  reading.prompt = prompt_spans(asked, prompt);
  reading.answer = answered.spans;
  return reading;
}

}  // namespace

AlignedText align_text(const Tokenizer& base, const Tokenizer& target, const std::string& prompt, const std::string& answer,
                       const std::string& category) {
  const Reading left = read(base, prompt, answer, category), right = read(target, prompt, answer, category);
  const Alignment asked = align(left.prompt, right.prompt), answered = align(left.answer, right.answer);
  AlignedText text{.base = left.text, .target = right.text, .positions = asked.positions};
  text.num_bytes = prompt.size() + answer.size();
  text.num_bytes_covered = asked.num_bytes_covered + answered.num_bytes_covered;
  const size_t left_start = left.prompt.size(), right_start = right.prompt.size();
  if (left_start == 0 || right_start == 0) return text;
  AlignedPosition last{left_start - 1, right_start - 1, prompt.size()};
  for (const AlignedPosition& position : answered.positions) {
    const AlignedPosition here{left_start + position.base, right_start + position.target, prompt.size() + position.end};
    if (here.base == last.base + 1 && here.target == last.target + 1) text.predictions.push_back(last);
    text.positions.push_back(here);
    last = here;
  }
  return text;
}

AlignedText align_plain_text(const Tokenizer& base, const Tokenizer& target, const std::string& text,
                             const std::string& category) {
  const Encoding left = base.encode_whole(text), right = target.encode_whole(text);
  Alignment alignment = align(left.spans, right.spans);
  return {.base = {.ids = left.ids, .category = category},
          .target = {.ids = right.ids, .category = category},
          .positions = std::move(alignment.positions),
          .num_bytes = text.size(),
          .num_bytes_covered = alignment.num_bytes_covered};
}

TracedText traced_text(const AlignedText& aligned) {
  OwnReading target{.ids = aligned.target.ids, .answer_start = aligned.target.answer_start};
  target.partners.assign(aligned.base.ids.size(), -1);
  for (const AlignedPosition& position : aligned.positions)
    target.partners[position.base] = static_cast<int32_t>(position.target);
  TracedText text = aligned.base;
  text.target = std::move(target);
  return text;
}

}  // namespace fi
