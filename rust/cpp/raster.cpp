#include "rust/cpp/raster.h"

#include "rust/cpp/bytes.h"

namespace fi {

std::string svg_to_png(std::string_view svg, double scale) {
  FiBytes out{};
  const int32_t code = fi_rs_svg_to_png(rust_data(svg), svg.size(), static_cast<float>(scale), &out);
  return take_result(code, out, "draw", "a figure");
}

}  // namespace fi
