#pragma once

#include <string>
#include <string_view>

namespace fi {

/// Draws an SVG with the fonts that ship with the program: the same bytes on every machine. Text in scripts that they lack is
/// drawn with the machine's fonts. kInvalid if the SVG cannot be read.
std::string svg_to_png(std::string_view svg, double scale);

}  // namespace fi
