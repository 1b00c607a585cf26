#include "fi/behaviour/structures.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "fi/behaviour/unicode.h"
#include "fi/core/json.h"

namespace fi {
namespace {

using Lines = std::vector<std::string_view>;

template <typename Predicate>
int64_t count_lines(const Lines& lines, Predicate predicate) {
  return std::count_if(lines.begin(), lines.end(), predicate);
}

std::string_view without_emphasis(std::string_view line) {
  const size_t first = line.find_first_not_of("*_#> ");
  return first == std::string_view::npos ? std::string_view() : line.substr(first);
}

// The number of an item "3. text" or "3) text", or -1.
int item_number(std::string_view raw) {
  const std::string_view line = without_emphasis(raw);
  size_t at = 0;
  int number = 0;
  while (at < line.size() && at < 3 && is_digit(static_cast<uint8_t>(line[at]))) number = number * 10 + (line[at++] - '0');
  const bool has_mark = at > 0 && at + 1 < line.size() && (line[at] == '.' || line[at] == ')');
  return has_mark && (line[at + 1] == ' ' || line[at + 1] == '*') ? number : -1;
}

bool has_numbered_list(const TextView&, const TextView& answer) {
  int last = -1;
  int in_order = 0;
  for (const std::string_view line : answer.lines()) {
    const int number = item_number(line);
    if (number < 0) continue;
    in_order = number == last + 1 && last >= 0 ? in_order + 1 : 1;
    last = number;
    if (in_order >= 2) return true;
  }
  return false;
}

bool is_bullet(std::string_view line) {
  for (const std::string_view mark : {"- ", "* ", "+ ", "• ", "‣ ", "▪ ", "◦ ", "– "}) {
    if (line.starts_with(mark) && line.size() > mark.size()) return true;
  }
  return false;
}

bool has_bullet_list(const TextView&, const TextView& answer) { return count_lines(answer.lines(), is_bullet) >= 2; }

bool is_table_rule(std::string_view line) {
  return line.find("--") != std::string_view::npos && line.find('|') != std::string_view::npos &&
         line.find_first_not_of("|-: +") == std::string_view::npos;
}

bool has_table(const TextView&, const TextView& answer) {
  const auto num_rows = count_lines(answer.lines(), [](std::string_view l) { return std::count(l.begin(), l.end(), '|') >= 2; });
  return num_rows >= 2 && count_lines(answer.lines(), is_table_rule) >= 1;
}

// Length of the balanced {...} at the start of `text`, or 0. Braces inside strings do not count.
size_t balanced_length(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{') {
      ++depth;
    } else if (c == '}' && --depth == 0) {
      return i + 1;
    }
  }
  return 0;
}

bool has_json(const TextView&, const TextView& answer) {
  constexpr int kMaxTries = 8;
  const std::string_view text = answer.text();
  size_t at = text.find('{');
  for (int i = 0; i < kMaxTries && at != std::string_view::npos; ++i) {
    const size_t length = balanced_length(text.substr(at));
    const std::string_view object = text.substr(at, length);
    if (length > 4 && object.find(':') != std::string_view::npos && Json::accept(object)) return true;
    at = text.find('{', at + std::max<size_t>(length, 1));
  }
  return false;
}

bool is_yaml_line(std::string_view line) {
  if (line.starts_with("- ")) line.remove_prefix(2);
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0 || (colon + 1 < line.size() && line[colon + 1] != ' ')) return false;
  const std::string_view key = line.substr(0, colon);
  return std::all_of(key.begin(), key.end(),
                     [](char c) { return std::islower(static_cast<uint8_t>(c)) || c == '_' || c == '-'; });
}

bool has_yaml(const TextView&, const TextView& answer) {
  int run = 0;
  for (const std::string_view line : answer.lines()) {
    run = is_yaml_line(line) || (run > 0 && line.starts_with("- ")) ? run + 1 : 0;
    if (run >= 3) return true;
  }
  return false;
}

// Brackets pair up, outside of quoted strings and # or // comments.
bool is_balanced(std::string_view code) {
  std::string open;
  char quote = 0;
  for (size_t i = 0; i < code.size(); ++i) {
    const char c = code[i];
    if (quote != 0) {
      if (c == '\\') ++i;
      if (c == quote || (c == '\n' && quote != '`')) quote = 0;
    } else if (c == '"' || c == '\'' || c == '`') {
      quote = c;
    } else if (c == '#' || code.substr(i, 2) == "//") {
      i = std::min(code.find('\n', i), code.size() - 1);
    } else if (c == '(' || c == '[' || c == '{') {
      open += c;
    } else if (c == ')' || c == ']' || c == '}') {
      if (open.empty() || open.back() != (c == ')' ? '(' : c == ']' ? '[' : '{')) return false;
      open.pop_back();
    }
  }
  return open.empty();
}

bool has_balanced_code(const TextView&, const TextView& answer) {
  const auto& blocks = answer.code_blocks();
  return !blocks.empty() && std::all_of(blocks.begin(), blocks.end(), is_balanced);
}

bool has_code_block(const TextView&, const TextView& answer) { return !answer.code_blocks().empty(); }

bool is_empty(const TextView&, const TextView& answer) { return answer.words().empty(); }
bool is_one_word(const TextView&, const TextView& answer) { return answer.words().size() == 1; }
bool is_very_short(const TextView&, const TextView& answer) { return !answer.words().empty() && answer.words().size() <= 5; }
bool is_one_line(const TextView&, const TextView& answer) { return answer.lines().size() == 1; }

bool is_all_caps(const TextView&, const TextView& answer) {
  int64_t upper = 0;
  int64_t letters = 0;
  const std::string& text = answer.text(Scope::kProse);
  for (size_t at = 0; at < text.size();) {
    const char32_t c = next_code_point(text, at);
    if (!is_letter(c)) continue;
    ++letters;
    if (lower_case(c) != c) ++upper;
  }
  return letters >= 10 && upper * 10 >= letters * 7;
}

bool starts_in_lower_case(const TextView&, const TextView& answer) {
  const std::string& text = answer.text(Scope::kStart);
  for (size_t at = 0; at < text.size();) {
    const char32_t c = next_code_point(text, at);
    if (is_letter(c)) return c < 0x250 && lower_case(c) == c;
    if (c != U' ' && c != U'"' && c != U'\'') return false;
  }
  return false;
}

bool ends_without_punctuation(const TextView&, const TextView& answer) {
  if (answer.words().size() < 3) return false;
  const std::string& end = answer.text(Scope::kEnd);
  char32_t last = 0;
  for (size_t at = 0; at < end.size();) last = next_code_point(end, at);
  return is_letter(last) || is_digit(last) || last == U',' || last == U'-' || last == U'(';
}

// Most lines are short, hardly any is a list item, and there are at least four of them.
bool has_poem_layout(const TextView&, const TextView& answer) {
  const Lines& lines = answer.lines();
  if (lines.size() < 4 || !answer.code_blocks().empty()) return false;
  const auto is_verse = [](std::string_view line) {
    if (line.size() > 70 || is_bullet(line) || item_number(line) >= 0 || line.find('|') != std::string_view::npos) return false;
    return std::count(line.begin(), line.end(), ' ') >= 2 && !line.ends_with(':') && line.find('=') == std::string_view::npos;
  };
  return count_lines(lines, is_verse) * 10 >= static_cast<int64_t>(lines.size()) * 8;
}

bool is_speech(std::string_view raw) {
  const std::string_view line = without_emphasis(raw);
  if (line.starts_with('"')) return true;
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon < 2 || colon > 20 || colon + 2 >= line.size()) return false;
  const std::string_view name = line.substr(0, colon);
  if (!std::isupper(static_cast<uint8_t>(name[0])) || std::count(name.begin(), name.end(), ' ') > 1) return false;
  return std::all_of(name.begin(), name.end(), [](char c) { return std::isdigit(static_cast<uint8_t>(c)) == 0; });
}

// At least three spoken lines of at least two speakers that come back, or quoted lines.
bool has_dialogue(const TextView&, const TextView& answer) {
  std::unordered_map<std::string, int> speakers;
  for (const std::string_view line : answer.lines()) {
    if (is_speech(line)) ++speakers[line.starts_with('"') ? "\"" : std::string(without_emphasis(line).substr(0, line.find(':')))];
  }
  int spoken = 0;
  bool comes_back = false;
  for (const auto& [speaker, count] : speakers) {
    spoken += count;
    comes_back = comes_back || count >= 2;
  }
  return spoken >= 3 && comes_back;
}

std::unordered_set<std::string> word_grams(const std::vector<Word>& words, size_t n) {
  std::unordered_set<std::string> grams;
  for (size_t i = 0; i + n <= words.size(); ++i) {
    std::string gram;
    for (size_t k = 0; k < n; ++k) gram += words[i + k].text + ' ';
    grams.insert(std::move(gram));
  }
  return grams;
}

// At least half of the prompt's three-word sequences come back.
bool echoes_prompt(const TextView& prompt, const TextView& answer) {
  const auto asked = word_grams(prompt.words(), 3);
  if (asked.size() < 3) return false;
  const auto said = word_grams(answer.words(), 3);
  const auto repeated = std::count_if(asked.begin(), asked.end(), [&](const std::string& gram) { return said.contains(gram); });
  return repeated * 2 >= static_cast<int64_t>(asked.size());
}

// The opening repeats most of what the prompt is about.
bool restates_question(const TextView& prompt, const TextView& answer) {
  const auto asked = word_grams(prompt.words(), 2);
  if (asked.size() < 4) return false;
  const auto opening = word_grams(answer.words(Scope::kStart), 2);
  const auto repeated =
      std::count_if(asked.begin(), asked.end(), [&](const std::string& gram) { return opening.contains(gram); });
  return repeated >= 3 && repeated * 10 >= static_cast<int64_t>(std::min<size_t>(asked.size(), 12)) * 4;
}

// A line comes three times, or a sequence of eight words does.
bool has_repetition_loop(const TextView&, const TextView& answer) {
  std::unordered_map<std::string_view, int> lines;
  for (const std::string_view line : answer.lines()) {
    if (line.size() >= 15 && ++lines[line] >= 3) return true;
  }
  std::unordered_map<std::string, int> grams;
  const std::vector<Word>& words = answer.words();
  for (size_t i = 0; i + 8 <= words.size(); ++i) {
    std::string gram;
    for (size_t k = 0; k < 8; ++k) gram += words[i + k].text + ' ';
    if (++grams[std::move(gram)] >= 3) return true;
  }
  return false;
}

bool leaves_prompt_language(const TextView& prompt, const TextView& answer) {
  return !prompt.language().empty() && !answer.language().empty() && prompt.language() != answer.language();
}

bool is_only_code(const TextView&, const TextView& answer) {
  return !answer.code_blocks().empty() && answer.words(Scope::kProse).size() <= 5;
}

struct Named {
  const char* name;
  Structure structure;
};

constexpr Named kStructures[] = {
    {"numbered_list", has_numbered_list},
    {"bullet_list", has_bullet_list},
    {"table", has_table},
    {"json", has_json},
    {"yaml", has_yaml},
    {"code_block", has_code_block},
    {"balanced_code", has_balanced_code},
    {"only_code", is_only_code},
    {"empty", is_empty},
    {"one_word", is_one_word},
    {"very_short", is_very_short},
    {"one_line", is_one_line},
    {"all_caps", is_all_caps},
    {"starts_in_lower_case", starts_in_lower_case},
    {"ends_without_punctuation", ends_without_punctuation},
    {"poem_layout", has_poem_layout},
    {"dialogue", has_dialogue},
    {"echoes_prompt", echoes_prompt},
    {"restates_question", restates_question},
    {"repetition_loop", has_repetition_loop},
    {"leaves_prompt_language", leaves_prompt_language},
};

}  // namespace

Structure find_structure(std::string_view name) {
  for (const Named& entry : kStructures) {
    if (name == entry.name) return entry.structure;
  }
  return nullptr;
}

std::vector<std::string> structure_names() {
  std::vector<std::string> names;
  for (const Named& entry : kStructures) names.emplace_back(entry.name);
  return names;
}

}  // namespace fi
