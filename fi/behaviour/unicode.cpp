#include "fi/behaviour/unicode.h"

#include <algorithm>
#include <array>

namespace fi {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

struct Range {
  char32_t first;
  char32_t last;
};

// Alphabets in their blocks of the Unicode standard; marks that belong to a letter are inside.
constexpr std::array kLetters = {
    Range{0xAA, 0xAA},     Range{0xB5, 0xB5},     Range{0xBA, 0xBA},     Range{0xC0, 0xD6},      Range{0xD8, 0xF6},
    Range{0xF8, 0x2AF},    Range{0x300, 0x36F},   Range{0x370, 0x3FF},   Range{0x400, 0x52F},    Range{0x531, 0x587},
    Range{0x591, 0x5F4},   Range{0x620, 0x65F},   Range{0x66E, 0x6D3},   Range{0x6D5, 0x6EF},    Range{0x6FA, 0x6FF},
    Range{0x900, 0x963},   Range{0x971, 0x9E3},   Range{0xA00, 0xA65},   Range{0xA70, 0xAE5},    Range{0xB00, 0xB65},
    Range{0xB80, 0xBE5},   Range{0xC00, 0xC65},   Range{0xC80, 0xCE5},   Range{0xD00, 0xD65},    Range{0xD80, 0xDFF},
    Range{0xE00, 0xE4E},   Range{0xE80, 0xECF},   Range{0x1000, 0x103F}, Range{0x10A0, 0x11FF},  Range{0x1780, 0x17D3},
    Range{0x1E00, 0x1FFF}, Range{0x3041, 0x30FF}, Range{0x3400, 0x4DBF}, Range{0x4E00, 0x9FFF},  Range{0xAC00, 0xD7AF},
    Range{0xF900, 0xFAFF}, Range{0xFF21, 0xFF3A}, Range{0xFF41, 0xFF5A}, Range{0x20000, 0x2FA1F}};

constexpr std::array kUnspaced = {Range{0xE00, 0xE4E},   Range{0x3041, 0x30FF}, Range{0x3400, 0x4DBF},
                                  Range{0x4E00, 0x9FFF}, Range{0xF900, 0xFAFF}, Range{0x20000, 0x2FA1F}};

template <size_t N>
bool in_ranges(const std::array<Range, N>& ranges, char32_t c) {
  const auto found = std::lower_bound(ranges.begin(), ranges.end(), c, [](const Range& r, char32_t v) { return r.last < v; });
  return found != ranges.end() && c >= found->first;
}

bool is_continuation(std::string_view text, size_t at) {
  return at < text.size() && (static_cast<uint8_t>(text[at]) & 0xC0) == 0x80;
}

// Alternating upper and lower case, upper case on even code points or on odd ones.
bool is_upper_of_pair(char32_t c) {
  const bool even = c % 2 == 0;
  if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E)) return !even;
  return even && ((c >= 0x100 && c <= 0x137) || (c >= 0x14A && c <= 0x177) || (c >= 0x460 && c <= 0x481) ||
                  (c >= 0x48A && c <= 0x4BF) || (c >= 0x4D0 && c <= 0x52F) || (c >= 0x1E00 && c <= 0x1E95) ||
                  (c >= 0x1EA0 && c <= 0x1EFF) || (c >= 0x218 && c <= 0x233));
}

}  // namespace

char32_t next_code_point(std::string_view text, size_t& at) {
  const auto lead = static_cast<uint8_t>(text[at++]);
  if (lead < 0x80) return lead;
  const int extra = lead >= 0xF0 && lead <= 0xF4 ? 3 : lead >= 0xE0 && lead < 0xF0 ? 2 : lead >= 0xC2 && lead < 0xE0 ? 1 : 0;
  if (extra == 0) return kReplacement;
  char32_t value = lead & (0x3F >> extra);
  size_t next = at;
  for (int i = 0; i < extra; ++i, ++next) {
    if (!is_continuation(text, next)) return kReplacement;
    value = value << 6 | (static_cast<uint8_t>(text[next]) & 0x3F);
  }
  constexpr std::array<char32_t, 4> kSmallest = {0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < kSmallest[static_cast<size_t>(extra)] || value > 0x10FFFF || is_surrogate) return kReplacement;
  at = next;
  return value;
}

void append_code_point(std::string& text, char32_t c) {
  const auto tail = [&](int shift) { text += static_cast<char>(0x80 | (c >> shift & 0x3F)); };
  if (c < 0x80) {
    text += static_cast<char>(c);
  } else if (c < 0x800) {
    text += static_cast<char>(0xC0 | c >> 6);
    tail(0);
  } else if (c < 0x10000) {
    text += static_cast<char>(0xE0 | c >> 12);
    tail(6);
    tail(0);
  } else {
    text += static_cast<char>(0xF0 | c >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

char32_t lower_case(char32_t c) {
  if (c < 0x80) return c >= U'A' && c <= U'Z' ? c + 32 : c;
  if (c >= 0xC0 && c <= 0xDE && c != 0xD7) return c + 32;
  if (c == 0x130) return U'i';
  if (c == 0x178) return 0xFF;
  if (is_upper_of_pair(c)) return c + 1;
  if (c >= 0x391 && c <= 0x3AB && c != 0x3A2) return c + 32;
  if (c == 0x386) return 0x3AC;
  if (c >= 0x388 && c <= 0x38A) return c + 37;
  if (c == 0x38C) return 0x3CC;
  if (c == 0x38E || c == 0x38F) return c + 63;
  if (c >= 0x410 && c <= 0x42F) return c + 32;
  if (c >= 0x400 && c <= 0x40F) return c + 80;
  return c;
}

std::string lower_case(std::string_view text) {
  std::string lowered;
  lowered.reserve(text.size());
  for (size_t at = 0; at < text.size();) append_code_point(lowered, lower_case(next_code_point(text, at)));
  return lowered;
}

bool is_letter(char32_t c) {
  if (c < 0x80) return (c | 0x20) >= U'a' && (c | 0x20) <= U'z';
  return in_ranges(kLetters, c);
}
bool is_digit(char32_t c) { return c >= U'0' && c <= U'9'; }
bool is_unspaced_letter(char32_t c) { return c >= 0xE00 && in_ranges(kUnspaced, c); }

}  // namespace fi
