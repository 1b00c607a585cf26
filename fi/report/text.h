#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fi {

/// Prompts, answers and names are untrusted bytes. This makes them text that is safe to draw: valid UTF-8 (bytes that are not
/// become U+FFFD), control characters as their visible pictures (ESC is ␛), direction overrides as U+FFFD.
/// Newline and tab stay.
std::string clean_text(std::string_view bytes);

/// `clean_text` on one line: newlines and tabs become a visible ⏎ and a space.
std::string clean_line(std::string_view bytes);

/// Code points of valid UTF-8.
std::vector<char32_t> code_points(std::string_view text);
void append_utf8(std::string& text, char32_t code);

/// What readers see as one character: a code point with the marks, selectors and joined parts after it.
std::vector<std::string> clusters(std::string_view text);

/// At most `max_characters` clusters, the last one an ellipsis if something was left out.
std::string shorten(std::string_view text, size_t max_characters);

std::string escape_xml(std::string_view text);

/// Without blanks at either end.
std::string trimmed(const std::string& text);

}  // namespace fi
