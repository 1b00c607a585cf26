#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fi {

struct TextRun {
  std::string text;
  bool changed = false;  // these words are not in the other answer
};

struct AnswerChanges {
  std::vector<TextRun> base;
  std::vector<TextRun> target;
};

/// Splits two answers into runs of words that both have, in the same order, and runs that only one has (longest common
/// subsequence of words). Concatenated runs give the cleaned text back. Answers longer than 2,000 words are marked
/// by words that the other lacks altogether.
AnswerChanges mark_changes(std::string_view base, std::string_view target);

}  // namespace fi
