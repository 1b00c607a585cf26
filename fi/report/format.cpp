#include "fi/report/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "fi/core/count_text.h"

namespace fi {
namespace {

std::string with_minus(std::string text) {
  if (!text.empty() && text[0] == '-') text.replace(0, 1, "−");
  return text;
}

std::string without_trailing_zeros(std::string text) {
  if (text.find('.') == std::string::npos) return text;
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

std::string signed_text(double value, const std::string& digits) { return (value > 0 && digits != "0" ? "+" : "") + digits; }

std::string points(double difference) {
  const double value = difference * 100;
  const int decimals = std::abs(value) < 10 ? 1 : 0;
  return signed_text(value, with_minus(without_trailing_zeros(fmt::format("{:.{}f}", value, decimals))));
}

}  // namespace

std::string format_count(int64_t value) { return with_minus(count_text(value)); }

std::string format_size(int64_t value) {
  constexpr std::pair<double, const char*> kUnits[] = {{1e12, " T"}, {1e9, " B"}, {1e6, " M"}, {1e3, " k"}};
  for (const auto& [unit, suffix] : kUnits) {
    const double scaled = static_cast<double>(value) / unit;
    if (scaled >= 0.9995) return without_trailing_zeros(fmt::format("{:.{}f}", scaled, scaled < 10 ? 1 : 0)) + suffix;
  }
  return std::to_string(value);
}

std::string format_number(double value) {
  if (!std::isfinite(value)) return "–";
  const double size = std::abs(value);
  if (size >= 1000) return format_count(std::llround(std::clamp(value, -9e18, 9e18)));
  if (size != 0 && size < 0.001) return with_minus(fmt::format("{:.1e}", value));
  const int decimals = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  return with_minus(without_trailing_zeros(fmt::format("{:.{}f}", value, decimals)));
}

std::string format_signed(double value) { return signed_text(value, format_number(value)); }

std::string format_share(double share) {
  if (!std::isfinite(share)) return "–";
  const double percent = share * 100;
  if (percent > 0 && percent < 0.1) return "<0.1%";
  if (percent > 99.9 && percent < 100) return ">99.9%";
  const int decimals = std::abs(percent) < 1 || (percent > 99 && percent < 100) ? 1 : 0;
  return with_minus(without_trailing_zeros(fmt::format("{:.{}f}", percent, decimals))) + "%";
}

std::string format_probability(const char* letter, double value) {
  const std::string name = *letter ? std::string(letter) + " " : "";
  if (value < 0.001) return name + "< 0.001";
  const std::string number = without_trailing_zeros(fmt::format("{:.{}f}", value, value < 0.1 ? 3 : 2));
  return name.empty() ? number : name + "= " + number;
}

std::string format_delta(double cliffs_delta) {
  return signed_text(cliffs_delta, with_minus(fmt::format("{:.2f}", cliffs_delta == 0 ? 0.0 : cliffs_delta)));
}

std::string format_measure(double value, const EffectEstimate& effect) {
  if (!effect.is_scalar) return format_share(value);
  return effect.unit.empty() ? format_number(value) : format_number(value) + " " + effect.unit;
}

std::string format_change(const EffectEstimate& effect) {
  if (!effect.is_scalar) return format_share(effect.base) + " → " + format_share(effect.target);
  const std::string numbers = format_number(effect.base) + " → " + format_number(effect.target);
  return effect.unit.empty() ? numbers : numbers + " " + effect.unit;
}

std::string format_interval(const EffectEstimate& effect) {
  if (!effect.is_scalar) return points(effect.ci_low) + " to " + points(effect.ci_high) + " points";
  const std::string numbers = format_signed(effect.ci_low) + " to " + format_signed(effect.ci_high);
  return effect.unit.empty() ? numbers : numbers + " " + effect.unit;
}

std::string format_share_range(double low, double high) {
  const std::string from = format_share(low);
  const bool negative = low < 0 || high < 0;
  return negative ? from + " to " + format_share(high) : from.substr(0, from.size() - 1) + "–" + format_share(high);
}

std::string format_layers(const std::vector<int64_t>& layers) {
  if (layers.empty()) return "no single layer";
  std::vector<int64_t> sorted = layers;
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  std::string text;
  for (size_t first = 0; first < sorted.size();) {
    size_t last = first;
    while (last + 1 < sorted.size() && sorted[last + 1] == sorted[last] + 1) ++last;
    if (!text.empty()) text += ", ";
    text += std::to_string(sorted[first]);
    if (last > first) text += (last == first + 1 ? ", " : "–") + std::to_string(sorted[last]);
    first = last + 1;
  }
  return (sorted.size() == 1 ? "layer " : "layers ") + text;
}

std::string format_list(const std::vector<std::string>& items, size_t max_shown) {
  std::string text;
  for (size_t i = 0; i < std::min(items.size(), max_shown); ++i) text += (i ? ", " : "") + items[i];
  if (items.size() > max_shown) text += fmt::format(" and {} more", items.size() - max_shown);
  return text;
}

}  // namespace fi
