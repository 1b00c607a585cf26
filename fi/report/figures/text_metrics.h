#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fi {

enum class FontWeight { kRegular, kBold };

struct Font {
  double size = 12.0;  // pixels
  FontWeight weight = FontWeight::kRegular;
};

/// Width of one line in pixels, from DejaVu Sans's advance widths; other scripts are taken at the width of the widest usual
/// font, so that a box that holds the text here holds it on every machine.
double text_width(std::string_view text, const Font& font);

/// The text, or its longest start with "…" that fits.
std::string ellipsise(std::string_view text, double max_width, const Font& font);

/// Lines of at most `max_width`, broken at spaces, between Han characters, or inside a word that fits no line; what does not
/// fit into `max_lines` is left out behind "…".
std::vector<std::string> wrap(std::string_view text, double max_width, const Font& font, size_t max_lines);

}  // namespace fi
