#include "fi/report/figures/parts.h"

#include <algorithm>
#include <cmath>

#include "fi/report/format.h"
#include "fi/report/text.h"

namespace fi::figures {
namespace {

constexpr double kRowHeight = 24.0;

struct Side {
  const char* label;
  double value;
  Ink ink, tint;
};

// Beside the mark if there is room, else before it.
void draw_value(Svg& svg, const Axis& axis, double mark_end, double mark_start, double y, const std::string& text, Ink ink) {
  const Font font = kStrong;
  const bool fits = mark_end + 9 + text_width(text, font) <= axis.to + 52;
  const Point at = fits ? Point{mark_end + 9, y} : Point{mark_start - 9, y};
  svg.text(at, text, {font, ink, fits ? Anchor::kStart : Anchor::kEnd});
}

Axis effect_axis(const EffectEstimate& effect, double from, double to) {
  if (!effect.is_scalar) return {0, 1, from, to};
  const double values[] = {0, effect.base, effect.target, effect.base + effect.ci_low, effect.base + effect.ci_high};
  const auto [low, high] = std::minmax_element(std::begin(values), std::end(values));
  const std::vector<double> ticks = nice_ticks(*low, *high, 4);
  return {ticks.front(), ticks.back(), from, to};
}

std::string tick_label(const EffectEstimate& effect, double value) {
  return effect.is_scalar ? format_number(value) : format_share(value);
}

void draw_axis(Svg& svg, const Axis& axis, const Box& area, const EffectEstimate& effect) {
  const bool roomy = axis.to - axis.from > 200;
  const std::vector<double> ticks = effect.is_scalar
                                        ? nice_ticks(axis.low, axis.high, roomy ? 4 : 2)
                                        : (roomy ? std::vector<double>{0, 0.25, 0.5, 0.75, 1} : std::vector<double>{0, 0.5, 1});
  const double bottom = area.y + 2 * kRowHeight;
  svg.line({axis.from, bottom}, {axis.to, bottom}, {.ink = Ink::kShared});
  for (const double tick : ticks) {
    if (tick < axis.low - 1e-9 || tick > axis.high + 1e-9) continue;
    const double x = axis.at(tick);
    svg.line({x, bottom}, {x, bottom + 5}, {.ink = Ink::kShared});
    svg.text({x, bottom + 18}, tick_label(effect, tick), {kSmall, Ink::kSoft, Anchor::kMiddle});
  }
}

}  // namespace

double Axis::at(double value) const {
  const double share = high > low && std::isfinite(value) ? (value - low) / (high - low) : 0.0;
  return from + (to - from) * std::clamp(share, 0.0, 1.0);
}

double left_edge(const Canvas& canvas) { return canvas.standalone ? kMargin : 2.0; }
double right_edge(const Svg& svg, const Canvas& canvas) { return svg.width() - left_edge(canvas); }

double draw_heading(Svg& svg, const Canvas& canvas, std::string_view title, std::string_view explanation) {
  if (!canvas.standalone) return 6.0;
  const double width = svg.width() - 2 * kMargin;
  const double y = draw_paragraph(svg, {kMargin, 38}, width, title, {kTitle, Ink::kInk}, 3);
  return draw_paragraph(svg, {kMargin, y}, width, explanation, {kSmall, Ink::kSoft}, 3) + 4;
}

double draw_legend(Svg& svg, const Canvas& canvas, double y, const std::vector<LegendEntry>& entries) {
  const double left = left_edge(canvas), right = right_edge(svg, canvas);
  double x = left;
  for (const LegendEntry& entry : entries) {
    const double width = 16 + text_width(entry.label, kSmall) + 18;
    if (x > left && x + width - 18 > right) {
      x = left;
      y += 19;
    }
    svg.rect({x, y, 10, 10}, {.fill = entry.ink, .radius = 2});
    svg.text({x + 16, y + 9.5}, ellipsise(entry.label, right - x - 16, kSmall), {kSmall, Ink::kSoft});
    x += width;
  }
  return y + 24;
}

double draw_paragraph(Svg& svg, Point baseline, double max_width, std::string_view text, const TextStyle& style,
                      size_t max_lines) {
  for (const std::string& line : wrap(clean_line(text), max_width, style.font, max_lines)) {
    svg.text(baseline, line, style);
    baseline.y += std::round(style.font.size * 1.42);
  }
  return baseline.y;
}

double draw_chip(Svg& svg, Point top_left, double max_width, std::string_view text, Ink ink) {
  const std::string shown = ellipsise(clean_line(text), max_width - 18, kSmall);
  const double width = text_width(shown, kSmall) + 18;
  if (width > max_width) return 0;
  svg.frame({top_left.x + 0.5, top_left.y + 0.5, width, 21}, {.ink = ink == Ink::kSoft ? Ink::kLine : ink}, 10.5);
  svg.text({top_left.x + 9.5, top_left.y + 15}, shown, {kSmall, ink});
  return width;
}

double draw_chips(Svg& svg, Point top_left, double right, const std::vector<std::string>& texts, Ink ink, size_t max_rows) {
  Point at = top_left;
  size_t row = 1;
  for (const std::string& text : texts) {
    const double wanted = std::min(text_width(clean_line(text), kSmall) + 18, right - top_left.x);
    if (at.x > top_left.x && at.x + wanted > right) {
      if (++row > max_rows) break;
      at = {top_left.x, at.y + 27};
    }
    at.x += draw_chip(svg, at, wanted + 0.01, text, ink) + 7;
  }
  return at.y + 27;
}

double draw_effect_rows(Svg& svg, const Box& area, const EffectEstimate& effect) {
  const Axis axis = effect_axis(effect, area.x + 60, area.x + area.width - 60);
  draw_axis(svg, axis, area, effect);
  const Side sides[] = {{"base", effect.base, Ink::kBase, Ink::kBaseTint},
                        {"target", effect.target, Ink::kTarget, Ink::kTargetTint}};
  for (int i = 0; i < 2; ++i) {
    const Side& side = sides[i];
    const double y = area.y + kRowHeight * (i + 0.5), zero = axis.at(0), x = axis.at(side.value);
    svg.text({area.x, y + 4.5}, side.label, {kSmall, side.ink});
    svg.rect({std::min(zero, x), y - 4, std::abs(x - zero), 8}, {.fill = side.tint, .radius = 2});
    double start = x - 6, end = x + 6;
    if (i == 1) {
      const double low = axis.at(effect.base + effect.ci_low), high = axis.at(effect.base + effect.ci_high);
      svg.line({low, y}, {high, y}, {.ink = Ink::kTarget, .width = 2.5});
      for (const double edge : {low, high}) svg.line({edge, y - 5}, {edge, y + 5}, {.ink = Ink::kTarget, .width = 2});
      start = std::min(start, low);
      end = std::max(end, high);
    }
    svg.circle({x, y}, 6, {.fill = side.ink});
    draw_value(svg, axis, end, start, y + 4.5, tick_label(effect, side.value), side.ink);
  }
  return area.y + 2 * kRowHeight + 28;
}

void draw_layer_strip(Svg& svg, const Box& area, int64_t num_layers, const std::vector<int64_t>& layers, Ink ink) {
  if (num_layers <= 0) return;
  const double step = area.width / static_cast<double>(num_layers), gap = step > 5 ? 1.5 : step > 2.5 ? 0.6 : 0;
  std::vector<Box> others, changed;
  for (int64_t layer = 0; layer < num_layers; ++layer) {
    const bool on = std::find(layers.begin(), layers.end(), layer) != layers.end();
    (on ? changed : others).push_back({area.x + step * static_cast<double>(layer), area.y, step - gap, area.height});
  }
  svg.boxes(others, {.fill = Ink::kLine});
  svg.boxes(changed, {.fill = ink});
}

std::vector<double> nice_ticks(double low, double high, int count) {
  if (!std::isfinite(low) || !std::isfinite(high - low)) low = 0, high = 1;
  if (!(high > low)) high = low + std::max(1.0, std::abs(low));
  const double raw = (high - low) / count;
  const double power = std::pow(10, std::floor(std::log10(raw)));
  double step = 10 * power;
  for (const double factor : {1.0, 2.0, 2.5, 5.0}) {
    if (raw <= factor * power * (1 + 1e-9)) {
      step = factor * power;
      break;
    }
  }
  std::vector<double> ticks;
  const auto first = static_cast<int64_t>(std::floor(low / step + 1e-9)),
             last = static_cast<int64_t>(std::ceil(high / step - 1e-9));
  for (int64_t i = first; i <= last; ++i) ticks.push_back(static_cast<double>(i) * step);
  return ticks;
}

std::vector<double> count_ticks(int64_t most) {
  const int64_t step = most <= 4 ? 1 : most <= 8 ? 2 : 0;
  if (step == 0) return nice_ticks(0, static_cast<double>(most), 4);
  std::vector<double> ticks;
  for (int64_t i = 0; i < most + step; i += step) ticks.push_back(static_cast<double>(i));
  return ticks;
}

int64_t label_stride(int64_t last, double step) {
  const double room = text_width(std::to_string(last), kSmall) + 8;
  for (int64_t stride : {1, 2, 5, 10, 20, 50, 100, 200, 500}) {
    if (step * static_cast<double>(stride) >= room) return stride;
  }
  return 1000;
}

Ink kind_ink(std::string_view kind) {
  if (kind == "added") return Ink::kTarget;
  if (kind == "removed") return Ink::kBase;
  return kind == "modified" ? Ink::kModified : Ink::kShared;
}

Ink verdict_ink(std::string_view verdict) {
  if (verdict == "verified") return Ink::kGood;
  return verdict == "suggestive" ? Ink::kWarn : Ink::kSoft;
}

std::string file_stem(std::string_view text) {
  std::string stem;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
    stem += plain ? c : '_';
  }
  return stem.substr(0, 80);
}

Figure finish(Svg& svg, double height, const Canvas& canvas, std::string stem, std::string title, std::string alt) {
  std::string bytes = svg.finish(std::ceil(height + (canvas.standalone ? 12 : 2)), alt, canvas.standalone);
  return {file_stem(stem), std::move(title), std::move(alt), std::move(bytes), svg.text_boxes()};
}

}  // namespace fi::figures
