#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fi {

/// Reads the code point at `at` and moves behind it. A byte that is not UTF-8 counts as U+FFFD.
char32_t next_code_point(std::string_view text, size_t& at);
void append_code_point(std::string& text, char32_t code_point);

/// Lower case of Latin, Greek and Cyrillic letters; others as they are.
char32_t lower_case(char32_t code_point);
std::string lower_case(std::string_view text);

bool is_letter(char32_t code_point);
bool is_digit(char32_t code_point);
/// Letters of scripts that do not put spaces between words: Han, kana, Thai.
bool is_unspaced_letter(char32_t code_point);

}  // namespace fi
