#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "fi/report/figures/log_axis.h"
#include "fi/report/figures/parts.h"
#include "fi/report/format.h"

namespace fi {
namespace {

using namespace figures;

constexpr double kUsageHeight = 150.0;
constexpr int kBinsPerDecade = 4;

struct Histogram {
  std::vector<int64_t> base, target;  // features a bin
  int64_t base_unused = 0, target_unused = 0;
};

void count(const LogAxis& axis, double use, std::vector<int64_t>& bins, int64_t& unused) {
  if (!(use > 0) || !std::isfinite(use)) {
    ++unused;
    return;
  }
  const auto bin = static_cast<int64_t>(std::floor((std::log10(use) - axis.low_power) * kBinsPerDecade));
  ++bins[static_cast<size_t>(std::clamp<int64_t>(bin, 0, static_cast<int64_t>(bins.size()) - 1))];
}

Histogram count_uses(const std::vector<FeatureRow>& features, const LogAxis& axis) {
  const auto num_bins = static_cast<size_t>((axis.high_power - axis.low_power) * kBinsPerDecade);
  Histogram histogram{std::vector<int64_t>(num_bins), std::vector<int64_t>(num_bins)};
  for (const FeatureRow& feature : features) {
    count(axis, feature.base_use, histogram.base, histogram.base_unused);
    count(axis, feature.target_use, histogram.target, histogram.target_unused);
  }
  return histogram;
}

std::string unused(int64_t number) { return number == 0 ? "none" : format_count(number); }

std::string describe(const Report& report, const Histogram& histogram) {
  return fmt::format(
      "How much either model uses {} features, as mean absolute activation over all tokens; not used at all: {} by the base, {} "
      "by the target.",
      format_count(static_cast<int64_t>(report.features.size())), unused(histogram.base_unused), unused(histogram.target_unused));
}

std::vector<double> uses_of(const std::vector<FeatureRow>& features) {
  std::vector<double> values;
  for (const FeatureRow& feature : features) values.insert(values.end(), {feature.base_use, feature.target_use});
  return values;
}

// A pair of bars a bin, on whole numbers of features.
void draw_bars(Svg& svg, const Histogram& histogram, const LogAxis& axis, const Axis& counts) {
  const double step = (axis.to - axis.from) / static_cast<double>(histogram.base.size()), width = std::min(14.0, 0.42 * step);
  for (size_t i = 0; i < histogram.base.size(); ++i) {
    const double middle = axis.from + step * (static_cast<double>(i) + 0.5);
    const std::pair<int64_t, Ink> sides[] = {{histogram.base[i], Ink::kBase}, {histogram.target[i], Ink::kTarget}};
    double x = middle - width - 0.5;
    for (const auto& [number, ink] : sides) {
      const double top = counts.at(static_cast<double>(number));
      if (number > 0) svg.rect({x, top, width, counts.from - top}, {.fill = ink, .radius = 1});
      x += width + 1;
    }
  }
}

void draw_use_labels(Svg& svg, const LogAxis& axis, double y) {
  const double step = (axis.to - axis.from) / (axis.high_power - axis.low_power);
  const int stride = step < 44 ? 2 : 1;
  for (int power = axis.low_power; power <= axis.high_power; power += stride) {
    svg.text({axis.at(std::pow(10.0, power)), y}, power_label(power), {kSmall, Ink::kSoft, Anchor::kMiddle});
  }
}

}  // namespace

Figure draw_feature_usage(const Report& report, const Canvas& canvas) {
  Svg svg(canvas.width);
  const double left = left_edge(canvas) + 44, right = right_edge(svg, canvas) - 20;
  const LogAxis axis = log_axis(uses_of(report.features), left, right);
  const Histogram histogram = count_uses(report.features, axis);
  const bool empty = report.features.empty();
  const std::string alt = empty ? "No feature was found whose use could be counted." : describe(report, histogram);
  double y = draw_heading(svg, canvas, "How much features are used", alt);
  if (empty) {
    svg.text({left_edge(canvas), y + 16}, ellipsise(alt, right - left_edge(canvas), kBody), {kBody});
    return finish(svg, y + 30, canvas, "feature_usage", "Feature usage", alt);
  }
  y = draw_legend(svg, canvas, y, {{"base", Ink::kBase}, {"target", Ink::kTarget}});
  int64_t most = 1;
  for (const auto* bins : {&histogram.base, &histogram.target})
    most = std::max(most, *std::max_element(bins->begin(), bins->end()));
  const std::vector<double> ticks = count_ticks(most);
  const double bottom = y + 6 + kUsageHeight;
  const Axis counts{0, ticks.back(), bottom, bottom - kUsageHeight};
  for (const double tick : ticks) {
    svg.line({left, counts.at(tick)}, {right, counts.at(tick)}, {.ink = Ink::kLine});
    svg.text({left - 8, counts.at(tick) + 4}, format_number(tick), {kSmall, Ink::kSoft, Anchor::kEnd});
  }
  draw_bars(svg, histogram, axis, counts);
  draw_use_labels(svg, axis, bottom + 17);
  svg.text({(left + right) / 2, bottom + 36}, "mean use over all tokens", {kSmall, Ink::kSoft, Anchor::kMiddle});
  return finish(svg, bottom + 44, canvas, "feature_usage", "Feature usage", alt);
}

}  // namespace fi
