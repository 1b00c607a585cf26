#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "fi/report/figures/log_axis.h"
#include "fi/report/figures/parts.h"
#include "fi/report/format.h"

namespace fi {
namespace {

using namespace figures;

constexpr double kNormsHeight = 150.0;

std::string describe(const std::vector<LayerRow>& layers) {
  if (layers.empty()) return "No layer was measured.";
  const LayerRow& last = layers.back();
  return fmt::format(
      "Root mean square norm of the residual stream after each layer; after layer {} it is {} in the base and {} in the target.",
      last.layer, format_number(last.base_norm), format_number(last.target_norm));
}

void draw_side(Svg& svg, const LogAxis& axis, double left, double step, const std::vector<LayerRow>& layers, bool target) {
  std::vector<Point> line;
  for (size_t i = 0; i < layers.size(); ++i) {
    line.push_back({left + step * (static_cast<double>(i) + 0.5), axis.at(target ? layers[i].target_norm : layers[i].base_norm)});
  }
  const Ink ink = target ? Ink::kTarget : Ink::kBase;
  svg.polyline(line, {.ink = ink, .width = 2, .dashed = target});
  if (target) return;
  for (const Point& point : line) svg.circle(point, std::min(3.0, step * 0.4), {.fill = ink});
}

}  // namespace

Figure draw_residual_norms(const Report& report, const Canvas& canvas) {
  Svg svg(canvas.width);
  const std::vector<LayerRow>& layers = report.layers;
  const std::string alt = describe(layers), stem = "residual_norms", title = "Size of the residual stream";
  double y = draw_heading(svg, canvas, "Size of the residual stream, layer by layer", alt);
  if (layers.empty()) {
    svg.text({left_edge(canvas), y + 16}, alt, {kBody});
    return finish(svg, y + 30, canvas, stem, title, alt);
  }
  y = draw_legend(svg, canvas, y, {{"base", Ink::kBase}, {"target (dashed)", Ink::kTarget}});
  std::vector<double> values;
  for (const LayerRow& row : layers) values.insert(values.end(), {row.base_norm, row.target_norm});
  const double left = left_edge(canvas) + 52, right = right_edge(svg, canvas), bottom = y + 6 + kNormsHeight;
  const LogAxis axis = log_axis(values, bottom, y + 6);
  draw_decades(svg, axis, left, right);
  const double step = (right - left) / static_cast<double>(layers.size());
  draw_side(svg, axis, left, step, layers, false);
  draw_side(svg, axis, left, step, layers, true);
  const int64_t stride = label_stride(layers.back().layer, step);
  for (size_t i = 0; i < layers.size(); ++i) {
    if (layers[i].layer % stride != 0) continue;
    const double x = left + step * (static_cast<double>(i) + 0.5);
    svg.text({x, bottom + 17}, std::to_string(layers[i].layer), {kSmall, Ink::kSoft, Anchor::kMiddle});
  }
  svg.text({(left + right) / 2, bottom + 36}, "layer", {kSmall, Ink::kSoft, Anchor::kMiddle});
  return finish(svg, bottom + 44, canvas, stem, title, alt);
}

}  // namespace fi
