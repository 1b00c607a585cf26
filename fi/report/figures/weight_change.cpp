#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "fi/report/figures/parts.h"
#include "fi/report/format.h"

namespace fi {
namespace {

using namespace figures;

constexpr double kMatrixRow = 20.0;
constexpr int64_t kMaxLayers = 1024;
constexpr double kFaintest = 0.06;  // a cell that changed at all can be told from one that did not

/// The matrices of a block from top to bottom, and how dark a change is: by its logarithm, as changes span decades.
struct Grid {
  std::vector<std::string> parts;
  int64_t num_layers = 0;
  double smallest = 1.0, largest = 0.0;

  double opacity(double change) const {
    if (change <= 0.0) return 0.0;
    const double range = std::log(largest) - std::log(smallest);
    return range > 0.0 ? kFaintest + (1.0 - kFaintest) * (std::log(change) - std::log(smallest)) / range : 1.0;
  }
};

// What a file made elsewhere may hold and no drawing can show is left out.
std::vector<WeightChangeRow> drawable(const std::vector<WeightChangeRow>& rows) {
  std::vector<WeightChangeRow> kept;
  for (const WeightChangeRow& row : rows) {
    if (row.layer >= 0 && row.layer < kMaxLayers && std::isfinite(row.relative_change)) kept.push_back(row);
  }
  return kept;
}

Grid grid_of(const std::vector<WeightChangeRow>& rows) {
  Grid grid;
  for (const WeightChangeRow& row : rows) {
    if (std::find(grid.parts.begin(), grid.parts.end(), row.matrix) == grid.parts.end()) grid.parts.push_back(row.matrix);
    grid.num_layers = std::max(grid.num_layers, row.layer + 1);
    if (row.relative_change <= 0.0) continue;
    grid.smallest = grid.largest == 0.0 ? row.relative_change : std::min(grid.smallest, row.relative_change);
    grid.largest = std::max(grid.largest, row.relative_change);
  }
  return grid;
}

std::string describe(const std::vector<WeightChangeRow>& rows) {
  if (rows.empty()) return "No weights were compared.";
  const auto largest = std::max_element(rows.begin(), rows.end(),
                                        [](const auto& a, const auto& b) { return a.relative_change < b.relative_change; });
  if (largest->relative_change <= 0.0) return fmt::format("All {} matrices are equal in both models.", rows.size());
  return fmt::format(
      "Size of the change of each weight matrix over the size of the base's; it is largest in layer {}, {}, at {}.",
      largest->layer, largest->matrix, format_number(largest->relative_change));
}

// From faint to dark, with the changes that the ends stand for.
double draw_scale(Svg& svg, const Canvas& canvas, double y, const Grid& grid) {
  constexpr int kSteps = 12;
  constexpr double kStep = 12.0;
  double x = left_edge(canvas);
  const std::string low = format_number(grid.smallest), high = format_number(grid.largest);
  svg.text({x, y + 11}, low, {kSmall, Ink::kSoft});
  x += text_width(low, kSmall) + 8;
  for (int i = 0; i < kSteps; ++i) {
    const double opacity = kFaintest + (1.0 - kFaintest) * i / (kSteps - 1);
    svg.rect({x + kStep * i, y, kStep, 12}, {.fill = Ink::kTarget, .opacity = opacity});
  }
  svg.text({x + kStep * kSteps + 8, y + 11}, high, {kSmall, Ink::kSoft});
  return y + 26;
}

}  // namespace

Figure draw_weight_change(const Report& report, const Canvas& canvas) {
  Svg svg(canvas.width);
  const std::vector<WeightChangeRow> rows = drawable(report.weight_changes);
  const std::string alt = describe(rows), stem = "weight_change", title = "Weight change by layer and matrix";
  double y = draw_heading(svg, canvas, "How far the weights moved, by layer and matrix", alt);
  const Grid grid = grid_of(rows);
  if (grid.largest <= 0.0) {
    svg.text({left_edge(canvas), y + 16}, ellipsise(alt, right_edge(svg, canvas) - left_edge(canvas), kBody), {kBody});
    return finish(svg, y + 30, canvas, stem, title, alt);
  }
  y = draw_scale(svg, canvas, y, grid);
  double labels = 0.0;
  for (const std::string& part : grid.parts) labels = std::max(labels, text_width(part, kSmall));
  const double left = left_edge(canvas) + std::min(labels, canvas.width / 3) + 10, right = right_edge(svg, canvas);
  const double step = (right - left) / static_cast<double>(grid.num_layers);
  for (size_t i = 0; i < grid.parts.size(); ++i) {
    const double top = y + kMatrixRow * static_cast<double>(i);
    const std::string label = ellipsise(grid.parts[i], left - 10 - left_edge(canvas), kSmall);
    svg.text({left - 10, top + 14}, label, {kSmall, Ink::kSoft, Anchor::kEnd});
    svg.rect({left, top, right - left, kMatrixRow - 2}, {.fill = Ink::kLine, .opacity = 0.25});
  }
  for (const WeightChangeRow& row : rows) {
    const auto part = std::find(grid.parts.begin(), grid.parts.end(), row.matrix) - grid.parts.begin();
    const Box cell{left + step * static_cast<double>(row.layer), y + kMatrixRow * static_cast<double>(part), step,
                   kMatrixRow - 2};
    if (row.relative_change > 0.0) svg.rect(cell, {.fill = Ink::kTarget, .opacity = grid.opacity(row.relative_change)});
    svg.hit_area(cell,
                 fmt::format("Layer {}, {}: changed by {} of its size, cosine {}", row.layer, row.matrix,
                             format_number(row.relative_change), format_number(row.cosine)),
                 "layer", std::to_string(row.layer));
  }
  y += kMatrixRow * static_cast<double>(grid.parts.size());
  const int64_t stride = label_stride(grid.num_layers - 1, step);
  for (int64_t layer = 0; layer < grid.num_layers; layer += stride)
    svg.text({left + step * (static_cast<double>(layer) + 0.5), y + 14}, std::to_string(layer),
             {kSmall, Ink::kSoft, Anchor::kMiddle});
  svg.text({(left + right) / 2, y + 32}, "layer", {kSmall, Ink::kSoft, Anchor::kMiddle});
  return finish(svg, y + 40, canvas, stem, title, alt);
}

}  // namespace fi
