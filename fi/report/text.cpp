#include "fi/report/text.h"

#include <cstdint>

namespace fi {
namespace {

constexpr char32_t kReplacement = 0xFFFD;
constexpr char32_t kJoiner = 0x200D;

struct Decoded {
  char32_t code = kReplacement;
  size_t length = 1;
};

// Shortest form only, no surrogates, at most U+10FFFF.
Decoded decode(std::string_view bytes, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned char first = byte(at);
  if (first < 0x80) return {first, 1};
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || at + length > bytes.size()) return {};
  char32_t code = first & (0xFF >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0) != 0x80) return {};
    code = (code << 6) | (byte(at + i) & 0x3F);
  }
  constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool valid = code >= kSmallest[length] && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
  return valid ? Decoded{code, length} : Decoded{};
}

bool overrides_direction(char32_t code) { return (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069); }

char32_t visible(char32_t code) {
  if (code == '\n' || code == '\t') return code;
  if (code < 0x20) return 0x2400 + code;
  if (code == 0x7F) return 0x2421;
  const bool unassigned = (code & 0xFFFE) == 0xFFFE || (code >= 0xFDD0 && code <= 0xFDEF);
  const bool control = code >= 0x80 && code < 0xA0;
  const bool separator = code == 0x2028 || code == 0x2029;
  return unassigned || control || separator || overrides_direction(code) ? kReplacement : code;
}

bool continues_cluster(char32_t code) {
  return (code >= 0x300 && code <= 0x36F) || (code >= 0x0591 && code <= 0x05C7 && code != 0x05BE) ||
         (code >= 0x064B && code <= 0x065F) || code == 0x0670 || (code >= 0x1AB0 && code <= 0x1AFF) ||
         (code >= 0x20D0 && code <= 0x20FF) || (code >= 0xFE00 && code <= 0xFE0F) || code == kJoiner ||
         (code >= 0x1F3FB && code <= 0x1F3FF) || (code >= 0xE0100 && code <= 0xE01EF);
}

}  // namespace

void append_utf8(std::string& text, char32_t code) {
  if (code < 0x80) {
    text += static_cast<char>(code);
    return;
  }
  const int length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  constexpr unsigned char kLead[] = {0, 0, 0xC0, 0xE0, 0xF0};
  text += static_cast<char>(kLead[length] | (code >> (6 * (length - 1))));
  for (int i = length - 2; i >= 0; --i) text += static_cast<char>(0x80 | ((code >> (6 * i)) & 0x3F));
}

std::vector<char32_t> code_points(std::string_view text) {
  std::vector<char32_t> codes;
  for (size_t at = 0; at < text.size();) {
    const Decoded next = decode(text, at);
    codes.push_back(next.code);
    at += next.length;
  }
  return codes;
}

std::string clean_text(std::string_view bytes) {
  std::string text;
  for (const char32_t code : code_points(bytes)) append_utf8(text, visible(code));
  return text;
}

std::string clean_line(std::string_view bytes) {
  std::string line;
  for (const char32_t code : code_points(bytes)) append_utf8(line, code == '\n' ? U'⏎' : code == '\t' ? U' ' : visible(code));
  return line;
}

std::vector<std::string> clusters(std::string_view text) {
  std::vector<std::string> result;
  char32_t previous = 0;
  for (const char32_t code : code_points(text)) {
    const bool joined = continues_cluster(code) || previous == kJoiner;
    if (result.empty() || !joined) result.emplace_back();
    append_utf8(result.back(), code);
    previous = code;
  }
  return result;
}

std::string shorten(std::string_view text, size_t max_characters) {
  const std::vector<std::string> parts = clusters(text);
  if (parts.size() <= max_characters) return std::string(text);
  std::string result;
  for (size_t i = 0; i + 1 < max_characters; ++i) result += parts[i];
  return result + "…";
}

std::string escape_xml(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '"': escaped += "&quot;"; break;
      case '\'': escaped += "&#39;"; break;
      default: escaped += c;
    }
  }
  return escaped;
}

std::string trimmed(const std::string& text) {
  const size_t from = text.find_first_not_of(' ');
  return from == std::string::npos ? "" : text.substr(from, text.find_last_not_of(' ') - from + 1);
}

}  // namespace fi
