#include <algorithm>

#include "fi/report/markdown.h"
#include "fi/report/text.h"

namespace fi {
namespace {

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

size_t longest_run(std::string_view text, char wanted) {
  size_t longest = 0, run = 0;
  for (const char c : text) {
    run = c == wanted ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return longest;
}

// Words longer than a line stay whole: a broken word cannot be searched.
std::string wrap_line(const std::string& line, size_t width) {
  std::string wrapped, word;
  size_t used = 0, word_length = 0;
  const auto place_word = [&] {
    if (used > 0 && used + word_length > width) {
      wrapped.erase(wrapped.find_last_not_of(' ') + 1);
      wrapped += '\n';
      used = 0;
    }
    wrapped += word;
    used += word_length;
    word.clear();
    word_length = 0;
  };
  for (const std::string& cluster : clusters(line)) {
    word += cluster;
    ++word_length;
    if (cluster == " ") place_word();
  }
  place_word();
  return wrapped;
}

// At the start of a block these would begin a list, a rule, a heading or a code block.
std::string without_block_start(std::string line) {
  line.erase(0, line.find_first_not_of(' '));
  if (line.empty()) return line;
  if (line[0] == '-' || line[0] == '+' || line[0] == '=') return "\\" + line;
  const size_t digits = line.find_first_not_of("0123456789");
  const bool numbered = digits > 0 && digits < line.size() && (line[digits] == '.' || line[digits] == ')');
  if (numbered) line.insert(digits, "\\");
  return line;
}

}  // namespace

std::string markdown_text(std::string_view text) {
  std::string escaped;
  for (const char c : clean_line(text)) {
    switch (c) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '|': escaped += "&#124;"; break;  // a backslash is not enough inside the code spans of some renderers
      case '\\':
      case '`':
      case '*':
      case '_':
      case '[':
      case ']':
      case '~':
      case '#':
      case '$':
      case '!': escaped += '\\'; [[fallthrough]];
      default: escaped += c;
    }
  }
  replace_all(escaped, "://", "&#58;//");  // GitHub would make links of bare addresses
  replace_all(escaped, "www.", "www&#46;");
  return without_block_start(escaped);
}

std::string markdown_block(std::string_view text, size_t width) {
  const std::string clean = clean_text(text);
  std::string body;
  for (size_t at = 0; at <= clean.size();) {
    const size_t end = std::min(clean.find('\n', at), clean.size());
    body += wrap_line(clean.substr(at, end - at), width) + "\n";
    at = end + 1;
  }
  const std::string fence(std::max<size_t>(3, longest_run(clean, '`') + 1), '`');
  return fence + "text\n" + body + fence + "\n";
}

}  // namespace fi
