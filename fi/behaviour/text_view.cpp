#include "fi/behaviour/text_view.h"

#include <algorithm>
#include <utility>

#include "fi/behaviour/language.h"
#include "fi/behaviour/unicode.h"

namespace fi {
namespace {

constexpr size_t kMaxBytes = 256 * 1024;
constexpr size_t kEdgeCharacters = 200;
constexpr std::string_view kFence = "```";

char32_t plain_quote(char32_t c) {
  if (c == 0x2018 || c == 0x2019 || c == 0x02BC || c == 0x00B4) return U'\'';
  if (c == 0x201C || c == 0x201D || c == 0x201E) return U'"';
  if (c == 0x00A0 || c == 0x202F) return U' ';
  return c;
}

std::string plain_text(std::string_view text) {
  std::string plain;
  plain.reserve(std::min(text.size(), kMaxBytes) + 8);
  for (size_t at = 0; at < text.size() && plain.size() < kMaxBytes;) {
    const char32_t c = next_code_point(text, at);
    if (c != U'\r') append_code_point(plain, plain_quote(c));
  }
  return plain;
}

bool is_boundary(std::string_view text, size_t at) {
  return at >= text.size() || (static_cast<uint8_t>(text[at]) & 0xC0) != 0x80;
}

std::string first_characters(const std::string& text) {
  size_t at = 0;
  for (size_t i = 0; i < kEdgeCharacters && at < text.size(); ++i) next_code_point(text, at);
  return text.substr(0, at);
}

std::string last_characters(const std::string& text) {
  const size_t end = text.find_last_not_of(" \t\n");
  if (end == std::string::npos) return "";
  size_t at = end + 1 > kEdgeCharacters ? end + 1 - kEdgeCharacters : 0;
  while (!is_boundary(text, at)) --at;
  return text.substr(at, end + 1 - at);
}

std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    at = end + 1;
    const size_t first = line.find_first_not_of(" \t");
    if (first != std::string_view::npos) lines.push_back(line.substr(first, line.find_last_not_of(" \t") - first + 1));
  }
  return lines;
}

struct FencedParts {
  std::string prose;
  std::vector<std::string_view> code;
};

// A fence opens at the start of a line; what follows on that line names the language.
FencedParts split_fences(std::string_view text) {
  FencedParts parts;
  size_t at = 0;
  while (at < text.size()) {
    size_t open = text.find(kFence, at);
    parts.prose += text.substr(at, open == std::string_view::npos ? text.size() - at : open - at);
    if (open == std::string_view::npos) break;
    const size_t body = std::min(text.find('\n', open), text.size());
    const size_t close = std::min(text.find(kFence, std::min(body, open + kFence.size())), text.size());
    if (body < close) parts.code.push_back(text.substr(body + 1, close - body - 1));
    parts.prose += '\n';
    at = std::min(close + kFence.size(), text.size());
  }
  return parts;
}

bool is_word_part(char32_t c) { return is_letter(c) || is_digit(c) || c == U'_'; }

// Whether the character before `next` joins two parts of one word: can't, 3.5, 1,000.
bool joins(std::string_view text, size_t next, char32_t joiner, char32_t before) {
  if (next >= text.size()) return false;
  size_t at = next;
  const char32_t after = next_code_point(text, at);
  if (joiner == U'\'' || joiner == 0x2019) return is_letter(before) && is_letter(after);
  return (joiner == U'.' || joiner == U',') && is_digit(before) && is_digit(after);
}

bool ends_segment(char32_t c) {
  constexpr std::u32string_view kEnds = U".!?:;\n|\u3002\uFF01\uFF1F\uFF1A";
  return kEnds.find(c) != std::u32string_view::npos;
}

}  // namespace

std::vector<Word> split_words(std::string_view text) {
  std::vector<Word> words;
  bool starts_segment = true;
  bool in_word = false;
  char32_t before = 0;
  for (size_t at = 0; at < text.size();) {
    const char32_t c = plain_quote(next_code_point(text, at));
    if (is_word_part(c)) {
      if (!in_word || is_unspaced_letter(c) || is_unspaced_letter(before)) {
        words.push_back({.starts_segment = starts_segment});
        starts_segment = false;
      }
      append_code_point(words.back().text, lower_case(c));
      in_word = true;
    } else if (in_word && joins(text, at, c, before)) {
      append_code_point(words.back().text, c);
    } else {
      in_word = false;
      starts_segment = starts_segment || ends_segment(c);
    }
    before = c;
  }
  return words;
}

TextView::TextView(std::string_view text) {
  texts_[0] = plain_text(text);
  FencedParts parts = split_fences(texts_[0]);
  texts_[1] = std::move(parts.prose);
  code_blocks_ = std::move(parts.code);
  texts_[2] = first_characters(texts_[0]);
  texts_[3] = last_characters(texts_[0]);
  lines_ = split_lines(texts_[0]);
}

const std::vector<Word>& TextView::words(Scope scope) const {
  std::optional<std::vector<Word>>& words = words_[static_cast<size_t>(scope)];
  if (!words) words = split_words(text(scope));
  return *words;
}

const std::string& TextView::language() const {
  if (!language_) language_ = language_of(text(Scope::kProse), words(Scope::kProse));
  return *language_;
}

std::shared_ptr<const TextView> view_of(std::string_view text) {
  struct Remembered {
    std::string text;
    std::shared_ptr<const TextView> view;
  };
  thread_local std::array<Remembered, 4> memory;  // a prompt and its two answers, and one to spare
  thread_local size_t oldest = 0;
  for (const Remembered& entry : memory) {
    if (entry.view && entry.text == text) return entry.view;
  }
  Remembered& entry = memory[oldest];
  oldest = (oldest + 1) % memory.size();
  entry = {std::string(text), std::make_shared<const TextView>(text)};
  return entry.view;
}

}  // namespace fi
