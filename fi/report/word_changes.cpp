#include "fi/report/word_changes.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <unordered_set>

#include "fi/report/text.h"

namespace fi {
namespace {

constexpr size_t kMaxWords = 2000;

bool is_space(const std::string& cluster) { return cluster == " " || cluster == "\n" || cluster == "\t"; }

// Han, kana and the like are written without spaces: each character is a word.
bool stands_alone(const std::string& cluster) {
  const char32_t code = code_points(cluster)[0];
  return (code >= 0x2E80 && code <= 0x9FFF) || (code >= 0xF900 && code <= 0xFAFF) || (code >= 0x20000 && code <= 0x3FFFF);
}

// Words with the space after them.
std::vector<std::string> split_words(const std::string& text) {
  std::vector<std::string> words;
  bool open = false;
  for (const std::string& cluster : clusters(text)) {
    if (is_space(cluster)) {
      if (words.empty()) words.emplace_back();
      words.back() += cluster;
      open = false;
      continue;
    }
    if (!open) words.emplace_back();
    words.back() += cluster;
    open = !stands_alone(cluster);
  }
  return words;
}

std::string stem(const std::string& word) {
  const size_t end = word.find_last_not_of(" \n\t");
  return end == std::string::npos ? "" : word.substr(0, end + 1);
}

// "Boxes." and "boxes" are the same word.
std::string core(const std::string& word) {
  const auto is_sign = [](char c) { return c > 0 && !std::isalnum(static_cast<unsigned char>(c)); };
  std::string result = word;
  while (!result.empty() && is_sign(result.back())) result.pop_back();
  while (!result.empty() && is_sign(result.front())) result.erase(0, 1);
  if (result.empty()) return word;
  for (char& c : result) c = c > 0 ? static_cast<char>(std::tolower(static_cast<unsigned char>(c))) : c;
  return result;
}

std::vector<std::string> cores(const std::vector<std::string>& words) {
  std::vector<std::string> result;
  for (const std::string& word : words) result.push_back(core(stem(word)));
  return result;
}

struct Common {
  std::vector<bool> base, target;  // is this word common to both?
};

Common common_by_order(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  const size_t width = b.size() + 1;
  std::vector<uint16_t> length((a.size() + 1) * width, 0);
  for (size_t i = a.size(); i-- > 0;) {
    for (size_t j = b.size(); j-- > 0;) {
      const uint16_t skip = std::max(length[(i + 1) * width + j], length[i * width + j + 1]);
      length[i * width + j] = a[i] == b[j] ? static_cast<uint16_t>(length[(i + 1) * width + j + 1] + 1) : skip;
    }
  }
  Common common{std::vector<bool>(a.size()), std::vector<bool>(b.size())};
  for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    if (a[i] == b[j]) {
      common.base[i++] = common.target[j++] = true;
    } else if (length[(i + 1) * width + j] >= length[i * width + j + 1]) {
      ++i;
    } else {
      ++j;
    }
  }
  return common;
}

std::vector<bool> contained(const std::vector<std::string>& words, const std::vector<std::string>& others) {
  const std::unordered_set<std::string> known(others.begin(), others.end());
  std::vector<bool> result;
  for (const std::string& word : words) result.push_back(known.count(word) > 0);
  return result;
}

// A lone common word ("the") between changed ones is no agreement: marks read better without such holes.
void drop_lone_matches(std::vector<bool>& common, const std::vector<std::string>& words) {
  for (size_t i = 1; i + 1 < common.size(); ++i) {
    if (common[i] && !common[i - 1] && !common[i + 1] && words[i].size() <= 3) common[i] = false;
  }
}

std::vector<TextRun> runs_of(const std::vector<std::string>& words, const std::vector<bool>& common) {
  std::vector<TextRun> runs;
  const auto append = [&](const std::string& text, bool changed) {
    if (text.empty()) return;
    if (runs.empty() || runs.back().changed != changed) runs.push_back({"", changed});
    runs.back().text += text;
  };
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string word = stem(words[i]);
    const bool changed = !common[i] && !word.empty();
    append(word, changed);
    const bool goes_on = changed && i + 1 < words.size() && !common[i + 1];
    append(words[i].substr(word.size()), goes_on);
  }
  return runs;
}

}  // namespace

AnswerChanges mark_changes(std::string_view base, std::string_view target) {
  const std::vector<std::string> base_words = split_words(clean_text(base));
  const std::vector<std::string> target_words = split_words(clean_text(target));
  const std::vector<std::string> a = cores(base_words), b = cores(target_words);
  const bool small = a.size() <= kMaxWords && b.size() <= kMaxWords;
  Common common = small ? common_by_order(a, b) : Common{contained(a, b), contained(b, a)};
  drop_lone_matches(common.base, a);
  drop_lone_matches(common.target, b);
  return {runs_of(base_words, common.base), runs_of(target_words, common.target)};
}

}  // namespace fi
