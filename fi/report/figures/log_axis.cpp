#include "fi/report/figures/log_axis.h"

#include <algorithm>
#include <cmath>

#include "fi/report/format.h"

namespace fi::figures {
namespace {

constexpr int kMaxDecades = 8;

}  // namespace

double LogAxis::at(double value) const {
  if (!(value > 0)) return from;
  const double share = (std::log10(value) - low_power) / std::max(1, high_power - low_power);
  return from + (to - from) * std::clamp(share, 0.0, 1.0);
}

LogAxis log_axis(const std::vector<double>& values, double from, double to) {
  double low = 1e300, high = 0;
  for (const double value : values) {
    if (!(value > 0) || !std::isfinite(value)) continue;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  if (high == 0) low = 0.01, high = 1;
  LogAxis axis{.from = from, .to = to};
  axis.high_power = static_cast<int>(std::ceil(std::log10(high) - 1e-9));
  axis.low_power = std::max(static_cast<int>(std::floor(std::log10(low) + 1e-9)), axis.high_power - kMaxDecades);
  if (axis.low_power == axis.high_power) --axis.low_power;
  return axis;
}

std::string power_label(int power) {
  if (power >= -3 && power <= 3) return format_number(std::pow(10.0, power));
  constexpr const char* kDigits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string exponent = power < 0 ? "⁻" : "";
  for (const char digit : std::to_string(std::abs(power))) exponent += kDigits[digit - '0'];
  return "10" + exponent;
}

void draw_decades(Svg& svg, const LogAxis& axis, double left, double right) {
  const int stride = axis.high_power - axis.low_power > 5 ? 2 : 1;
  for (int power = axis.low_power; power <= axis.high_power; ++power) {
    const double y = axis.at(std::pow(10.0, power));
    svg.line({left, y}, {right, y}, {.ink = Ink::kLine});
    if ((power - axis.low_power) % stride != 0) continue;
    svg.text({left - 8, y + 4}, power_label(power), {kSmall, Ink::kSoft, Anchor::kEnd});
  }
}

}  // namespace fi::figures
