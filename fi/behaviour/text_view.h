#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fi {

struct Word {
  std::string text;             // lower case
  bool starts_segment = false;  // first of the text, of a line, or after . ! ? : ;
};

/// Words in lower case. Apostrophes inside words stay ("can't"), digits with a point or comma between them are one word,
/// letters of scripts without spaces are words of their own.
std::vector<Word> split_words(std::string_view utf8_text);

/// Which part of an answer a concept looks at.
enum class Scope { kAnswer, kProse, kStart, kEnd };  // prose: without fenced code; start and end: 200 characters

/// A text, taken apart once for all detectors: valid UTF-8, typographic quotes as ASCII ones, at most 256 KiB of it.
/// Words and language are found when first asked for, so a view belongs to one thread.
class TextView {
 public:
  explicit TextView(std::string_view text);

  const std::string& text(Scope scope = Scope::kAnswer) const { return texts_[static_cast<size_t>(scope)]; }
  const std::vector<Word>& words(Scope scope = Scope::kAnswer) const;
  /// Lines of the whole text without surrounding blanks; empty lines are left out.
  const std::vector<std::string_view>& lines() const { return lines_; }
  /// Contents of fenced code blocks, the last one possibly cut.
  const std::vector<std::string_view>& code_blocks() const { return code_blocks_; }
  /// ISO 639-3 code of the prose's language, or "".
  const std::string& language() const;

  TextView(const TextView&) = delete;  // views point into the text
  TextView& operator=(const TextView&) = delete;

 private:
  std::array<std::string, 4> texts_;
  mutable std::array<std::optional<std::vector<Word>>, 4> words_;
  std::vector<std::string_view> lines_;
  std::vector<std::string_view> code_blocks_;
  mutable std::optional<std::string> language_;
};

/// The view of a text. The last few of a thread are remembered, because every detector looks at the same answer in turn.
std::shared_ptr<const TextView> view_of(std::string_view text);

}  // namespace fi
