#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "fi/report/figures/parts.h"
#include "fi/report/format.h"

namespace fi {
namespace {

using namespace figures;

constexpr double kHeight = 150.0;
constexpr double kFloor = 0.3;        // of a decade: how high one latent stands
constexpr double kExclusive = 0.1;    // shares within this of 0 or 1 were read as one model's own
constexpr double kWidestTick = 1e18;  // counts are 64-bit
constexpr double kLabelDistance = 16.0;

double height_of(double count) { return count >= 1 ? std::log10(count) + kFloor : 0.0; }

int64_t count_between(const NormHistogram& norms, double low, double high) {
  int64_t total = 0;
  for (size_t i = 0; i < norms.bins.size(); ++i) {
    const double middle = (static_cast<double>(i) + 0.5) / static_cast<double>(norms.bins.size());
    if (middle >= low && middle <= high) total += std::max<int64_t>(0, norms.bins[i]);
  }
  return total;
}

std::string none_or(int64_t count) { return count == 0 ? "none" : format_count(count); }

std::string describe_norms(const NormHistogram& norms) {
  const int64_t all = count_between(norms, 0, 1);
  if (all == 0) return fmt::format("No latent of layer {} fires.", norms.layer);
  return fmt::format(
      "{} latents of layer {} by the target's share of what they write in both models. Almost only in the base write {}, in the "
      "target {}: a hint, not a class, as norms tell little of use.",
      format_count(all), norms.layer, none_or(count_between(norms, 0, kExclusive)),
      none_or(count_between(norms, 1 - kExclusive, 1)));
}

Ink ink_of(double share) {
  if (share < kExclusive) return Ink::kBase;
  return share > 1 - kExclusive ? Ink::kTarget : Ink::kShared;
}

void draw_counts(Svg& svg, const Axis& heights, double left, double right, double most) {
  const double decade = std::abs(heights.at(1) - heights.at(0));
  const double factor = std::pow(10.0, std::ceil(kLabelDistance / decade));
  for (double tick = 1; tick <= std::min(most, kWidestTick); tick *= factor) {
    const double y = heights.at(height_of(tick));
    svg.line({left, y}, {right, y}, {.ink = Ink::kLine});
    const std::string label = ellipsise(format_number(tick), left - 8, kSmall);
    svg.text({left - 8, y + 4}, label, {kSmall, Ink::kSoft, Anchor::kEnd});
  }
}

}  // namespace

Figure draw_decoder_norms(const NormHistogram& norms, const Canvas& canvas) {
  Svg svg(canvas.width);
  const std::string alt = describe_norms(norms), title = "Decoder norms", stem = fmt::format("decoder_norms_L{}", norms.layer);
  double y = draw_heading(svg, canvas, title, alt);
  const double left = left_edge(canvas) + 52, right = right_edge(svg, canvas) - 20;
  const double most = norms.bins.empty() ? 0.0 : static_cast<double>(*std::ranges::max_element(norms.bins));
  if (most < 1) {
    svg.text({left_edge(canvas), y + 16}, ellipsise(alt, right - left_edge(canvas), kBody), {kBody});
    return finish(svg, y + 30, canvas, stem, title, alt);
  }
  y = draw_legend(svg, canvas, y, {{"base alone", Ink::kBase}, {"both", Ink::kShared}, {"target alone", Ink::kTarget}});
  const double bottom = y + 6 + kHeight, step = (right - left) / static_cast<double>(norms.bins.size());
  const Axis heights{0, height_of(most), bottom, bottom - kHeight};
  draw_counts(svg, heights, left, right, most);
  for (size_t i = 0; i < norms.bins.size(); ++i) {
    if (norms.bins[i] < 1) continue;
    const double top = heights.at(height_of(static_cast<double>(norms.bins[i])));
    const double share = (static_cast<double>(i) + 0.5) / static_cast<double>(norms.bins.size());
    svg.rect({left + step * static_cast<double>(i) + 0.5, top, step - 1, bottom - top}, {.fill = ink_of(share), .radius = 1});
  }
  svg.line({left, bottom}, {right, bottom}, {.ink = Ink::kShared});
  for (const double share : {0.0, 0.5, 1.0})
    svg.text({left + (right - left) * share, bottom + 17}, format_share(share), {kSmall, Ink::kSoft, Anchor::kMiddle});
  svg.text({(left + right) / 2, bottom + 36}, "target's share of the decoder norm", {kSmall, Ink::kSoft, Anchor::kMiddle});
  return finish(svg, bottom + 44, canvas, stem, title, alt);
}

}  // namespace fi
