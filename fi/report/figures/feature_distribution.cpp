#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "fi/report/figures/parts.h"
#include "fi/report/format.h"

namespace fi {
namespace {

using namespace figures;

constexpr std::array<const char*, 4> kKinds = {"added", "removed", "modified", "shared"};
constexpr double kDistributionHeight = 170.0;

using Counts = std::array<int64_t, kKinds.size()>;

std::map<int64_t, Counts> count_by_layer(const Report& report) {
  std::map<int64_t, Counts> counts;
  for (const LayerRow& row : report.layers) counts[row.layer] = {};
  for (const FeatureRow& feature : report.features) {
    const auto kind = std::find(kKinds.begin(), kKinds.end(), feature.kind);
    if (kind != kKinds.end()) ++counts[feature.layer][static_cast<size_t>(kind - kKinds.begin())];
  }
  return counts;
}

int64_t sum(const Counts& counts) { return counts[0] + counts[1] + counts[2] + counts[3]; }

std::string describe_distribution(const Report& report) {
  Counts total{};
  for (const auto& [layer, counts] : count_by_layer(report)) {
    for (size_t i = 0; i < total.size(); ++i) total[i] += counts[i];
  }
  if (sum(total) == 0) return "No feature was found that tells the models apart.";
  std::string parts;
  for (size_t i = 0; i < total.size(); ++i) {
    if (total[i] > 0) parts += fmt::format("{}{} {}", parts.empty() ? "" : ", ", format_count(total[i]), kKinds[i]);
  }
  return fmt::format("{} {}: {}.", format_count(sum(total)), sum(total) == 1 ? "feature" : "features", parts);
}

std::vector<LegendEntry> legend_of(const Report& report) {
  std::vector<LegendEntry> legend;
  for (const char* kind : kKinds) {
    const bool present =
        std::any_of(report.features.begin(), report.features.end(), [&](const FeatureRow& f) { return f.kind == kind; });
    if (present) legend.push_back({kind, kind_ink(kind)});
  }
  return legend;
}

void draw_column(Svg& svg, double x, double width, const Axis& axis, const Counts& counts) {
  int64_t below = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    const double bottom = axis.at(static_cast<double>(below)), top = axis.at(static_cast<double>(below + counts[i]));
    svg.rect({x, top, width, bottom - top - (bottom - top > 4 ? 1 : 0)}, {.fill = kind_ink(kKinds[i]), .radius = 1});
    below += counts[i];
  }
}

}  // namespace

Figure draw_feature_distribution(const Report& report, const Canvas& canvas) {
  Svg svg(canvas.width);
  const std::string alt = describe_distribution(report);
  double y = draw_heading(svg, canvas, "Features by layer and kind", alt);
  const auto counts = count_by_layer(report);
  if (report.features.empty()) {
    svg.text({left_edge(canvas), y + 16}, ellipsise(alt, right_edge(svg, canvas) - left_edge(canvas), kBody), {kBody});
    return finish(svg, y + 30, canvas, "feature_distribution", "Feature distribution", alt);
  }
  y = draw_legend(svg, canvas, y, legend_of(report));
  int64_t most = 1;
  for (const auto& [layer, column] : counts) most = std::max(most, sum(column));
  const std::vector<double> ticks = count_ticks(most);
  const double left = left_edge(canvas) + 44, right = right_edge(svg, canvas), bottom = y + 6 + kDistributionHeight;
  for (const double tick : ticks) {
    const double at = bottom - kDistributionHeight * tick / ticks.back();
    svg.line({left, at}, {right, at}, {.ink = Ink::kLine});
    svg.text({left - 8, at + 4}, format_number(tick), {kSmall, Ink::kSoft, Anchor::kEnd});
  }
  const double step = (right - left) / static_cast<double>(counts.size()), width = std::min(26.0, step * 0.72);
  const Axis axis{0, ticks.back(), bottom, bottom - kDistributionHeight};
  const int64_t stride = label_stride(counts.rbegin()->first, step);
  double x = left + step / 2;
  for (const auto& [layer, column] : counts) {
    draw_column(svg, x - width / 2, width, axis, column);
    if (layer % stride == 0) svg.text({x, bottom + 17}, std::to_string(layer), {kSmall, Ink::kSoft, Anchor::kMiddle});
    x += step;
  }
  svg.text({(left + right) / 2, bottom + 36}, "layer", {kSmall, Ink::kSoft, Anchor::kMiddle});
  return finish(svg, bottom + 44, canvas, "feature_distribution", "Feature distribution", alt);
}

}  // namespace fi
