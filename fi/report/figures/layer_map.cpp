#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "fi/report/figures/log_axis.h"
#include "fi/report/figures/parts.h"
#include "fi/report/format.h"

namespace fi {
namespace {

using namespace figures;

constexpr double kPanelHeight = 190.0;
constexpr double kKlHeight = 84.0;

struct Frame {
  double left, right, top, bottom;
  double step;  // pixels a layer
  LogAxis axis;

  double x(size_t row) const { return left + step * (static_cast<double>(row) + 0.5); }
  double y(double value) const { return axis.at(value); }
};

bool any_difference(const Report& report) {
  return std::any_of(report.layers.begin(), report.layers.end(), [](const LayerRow& row) { return row.relative_difference > 0; });
}

std::vector<double> values_of(const std::vector<LayerRow>& layers) {
  std::vector<double> values;
  for (const LayerRow& row : layers) values.insert(values.end(), {row.relative_difference, row.noise_floor});
  return values;
}

void draw_layer_numbers(Svg& svg, const Frame& frame, const std::vector<LayerRow>& layers, double y) {
  const int64_t stride = label_stride(layers.back().layer, frame.step);
  for (size_t i = 0; i < layers.size(); ++i) {
    if (layers[i].layer % stride != 0) continue;
    svg.text({frame.x(i), y}, std::to_string(layers[i].layer), {kSmall, Ink::kSoft, Anchor::kMiddle});
  }
}

void draw_differences(Svg& svg, const Frame& frame, const std::vector<LayerRow>& layers) {
  std::vector<Point> noise{{frame.left, frame.bottom}}, line;
  for (size_t i = 0; i < layers.size(); ++i) {
    const double y = frame.y(layers[i].noise_floor);
    if (i == 0) noise.push_back({frame.left, y});
    noise.push_back({frame.x(i), y});
    if (i + 1 == layers.size()) noise.push_back({frame.right, y});
    line.push_back({frame.x(i), frame.y(layers[i].relative_difference)});
  }
  noise.push_back({frame.right, frame.bottom});
  svg.polygon(noise, {.fill = Ink::kShared, .opacity = 0.3});
  svg.polyline(line, {.ink = Ink::kTarget, .width = 2});
  for (const Point& point : line) svg.circle(point, std::min(3.5, frame.step * 0.4), {.fill = Ink::kTarget});
}

double draw_kl(Svg& svg, const Frame& frame, const std::vector<LayerRow>& layers, double top) {
  constexpr const char* kCaption = "Share of the output difference (KL) that patching this layer removes";
  const double below = draw_paragraph(svg, {frame.left, top + 4}, frame.right - frame.left, kCaption, {kSmall, Ink::kSoft}, 3);
  const double zero = below - 2 + kKlHeight;
  for (const double tick : {0.0, 0.5, 1.0}) {
    const double y = zero - kKlHeight * tick;
    svg.line({frame.left, y}, {frame.right, y}, {.ink = Ink::kLine});
    svg.text({frame.left - 8, y + 4}, format_share(tick), {kSmall, Ink::kSoft, Anchor::kEnd});
  }
  for (size_t i = 0; i < layers.size(); ++i) {
    if (!layers[i].kl_recovered) continue;
    const double height = kKlHeight * std::clamp(*layers[i].kl_recovered, 0.0, 1.0), width = std::min(22.0, frame.step * 0.7);
    svg.rect({frame.x(i) - width / 2, zero - height, width, height}, {.fill = Ink::kTarget, .opacity = 0.75, .radius = 1.5});
  }
  draw_layer_numbers(svg, frame, layers, zero + 17);
  return zero + 24;
}

// One row per claim that names layers, under the panel.
double draw_claim_rows(Svg& svg, const Frame& frame, const Report& report, double y) {
  int shown = 0;
  for (const Claim& claim : report.claims) {
    if (claim.layers.empty() || shown == 5) continue;
    for (size_t i = 0; i < report.layers.size(); ++i) {
      if (std::find(claim.layers.begin(), claim.layers.end(), report.layers[i].layer) == claim.layers.end()) continue;
      svg.rect({frame.x(i) - frame.step / 2, y, frame.step + 0.2, 8}, {.fill = Ink::kModified});
    }
    const std::string label = ellipsise(claim.id, frame.left - 10, {10.5, FontWeight::kRegular});
    svg.text({frame.left - 8, y + 8}, label, {{10.5, FontWeight::kRegular}, Ink::kSoft, Anchor::kEnd});
    y += 16;
    ++shown;
  }
  return shown ? y + 6 : y;
}

void draw_hit_areas(Svg& svg, const Frame& frame, const std::vector<LayerRow>& layers, double bottom) {
  for (size_t i = 0; i < layers.size(); ++i) {
    const LayerRow& row = layers[i];
    std::string tip = fmt::format("Layer {}: relative difference {}, noise floor {}", row.layer,
                                  format_number(row.relative_difference), format_number(row.noise_floor));
    if (row.kl_recovered) tip += ", KL removed by patching " + format_share(*row.kl_recovered);
    svg.hit_area({frame.x(i) - frame.step / 2, frame.top, frame.step, bottom - frame.top}, tip, "layer",
                 std::to_string(row.layer));
  }
}

std::string describe_layers(const Report& report) {
  if (report.layers.empty()) return "No layer was measured.";
  if (!any_difference(report)) return fmt::format("The difference is exactly 0 in all {} layers.", report.layers.size());
  const auto largest = std::max_element(report.layers.begin(), report.layers.end(), [](const LayerRow& a, const LayerRow& b) {
    return a.relative_difference < b.relative_difference;
  });
  return fmt::format("Relative difference of the residual streams in {} layers; it is largest in layer {} at {}.",
                     report.layers.size(), largest->layer, format_number(largest->relative_difference));
}

}  // namespace

Figure draw_layer_map(const Report& report, const Canvas& canvas) {
  if (report.layers.empty() && !report.depth_pairs.empty()) return draw_depth_similarity(report, canvas);
  Svg svg(canvas.width);
  double y = draw_heading(svg, canvas, "Where the models part, layer by layer", describe_layers(report));
  const std::string stem = "layer_map", title = "Layer map";
  if (!any_difference(report)) {
    svg.text({left_edge(canvas), y + 16}, ellipsise(describe_layers(report), right_edge(svg, canvas) - left_edge(canvas), kBody),
             {kBody});
    return finish(svg, y + 30, canvas, stem, title, describe_layers(report));
  }
  std::vector<LegendEntry> legend = {{"relative difference, target against base", Ink::kTarget},
                                     {"noise floor of bf16 rounding", Ink::kShared}};
  const bool located = std::any_of(report.claims.begin(), report.claims.end(), [](const Claim& c) { return !c.layers.empty(); });
  if (located) legend.push_back({"layers named by a claim", Ink::kModified});
  y = draw_legend(svg, canvas, y, legend);
  const double left = left_edge(canvas) + 52, right = right_edge(svg, canvas), top = y + 6, bottom = y + 6 + kPanelHeight;
  const double step = (right - left) / static_cast<double>(report.layers.size());
  const Frame frame{left, right, top, bottom, step, log_axis(values_of(report.layers), bottom, top)};
  draw_decades(svg, frame.axis, left, right);
  draw_differences(svg, frame, report.layers);
  draw_layer_numbers(svg, frame, report.layers, frame.bottom + 17);
  y = draw_claim_rows(svg, frame, report, frame.bottom + 28);
  const bool has_kl =
      std::any_of(report.layers.begin(), report.layers.end(), [](const LayerRow& row) { return row.kl_recovered.has_value(); });
  if (has_kl) y = draw_kl(svg, frame, report.layers, y + 14);
  svg.text({(frame.left + frame.right) / 2, y + 12}, "layer", {kSmall, Ink::kSoft, Anchor::kMiddle});
  draw_hit_areas(svg, frame, report.layers, y);
  return finish(svg, y + 20, canvas, stem, title, describe_layers(report));
}

}  // namespace fi
