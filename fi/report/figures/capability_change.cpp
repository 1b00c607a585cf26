#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "fi/report/figures/parts.h"
#include "fi/report/format.h"
#include "fi/report/text.h"

namespace fi {
namespace {

using namespace figures;

constexpr size_t kMaxRows = 24;

std::vector<const CategoryRow*> strongest(const Report& report) {
  std::vector<const CategoryRow*> rows;
  for (const CategoryRow& row : report.categories) {
    if (row.largest_effect != 0.0) rows.push_back(&row);
  }
  std::stable_sort(rows.begin(), rows.end(), [](const CategoryRow* a, const CategoryRow* b) {
    return std::abs(a->largest_effect) > std::abs(b->largest_effect);
  });
  if (rows.size() > kMaxRows) rows.resize(kMaxRows);
  return rows;
}

int64_t num_unchanged(const Report& report) { return std::ranges::count(report.categories, 0.0, &CategoryRow::largest_effect); }

std::string describe_capabilities(const Report& report) {
  if (report.categories.empty()) return "No category was compared.";
  const auto rows = strongest(report);
  if (rows.empty()) return fmt::format("Answers did not differ in any of {} categories.", report.categories.size());
  return fmt::format(
      "Largest change of the answers on discovery prompts; {} moved most ({}). In {} of {} categories nothing was found to "
      "follow.",
      clean_line(rows[0]->title), format_delta(rows[0]->largest_effect), num_unchanged(report), report.categories.size());
}

// A bar from zero, with its number at the free end.
void draw_bar(Svg& svg, const Axis& axis, double y, double effect) {
  const Ink ink = effect >= 0 ? Ink::kTarget : Ink::kBase;
  const double zero = axis.at(0), end = axis.at(effect);
  svg.rect({std::min(zero, end), y - 5, std::abs(end - zero), 10}, {.fill = ink, .radius = 2});
  const bool right = effect >= 0;
  svg.text({end + (right ? 6 : -6), y + 4}, format_delta(effect), {kSmall, ink, right ? Anchor::kStart : Anchor::kEnd});
}

// Effects lie in -1..1; the labels beyond the bars need 46 pixels on both sides.
Axis axis_between(double from, double to) { return {-1, 1, from + 46, to - 46}; }

void draw_axis(Svg& svg, const Axis& axis, double top, double bottom) {
  svg.line({axis.at(0), top}, {axis.at(0), bottom}, {.ink = Ink::kShared});
  const double room = axis.at(0) - axis.from + 40;
  svg.text({axis.at(0) - 8, top - 6}, ellipsise("← less in the target", room, kSmall), {kSmall, Ink::kBase, Anchor::kEnd});
  svg.text({axis.at(0) + 8, top - 6}, ellipsise("more in the target →", room, kSmall), {kSmall, Ink::kTarget});
}

double draw_wide(Svg& svg, const Canvas& canvas, const std::vector<const CategoryRow*>& rows, double y) {
  const double left = left_edge(canvas), right = right_edge(svg, canvas);
  const double label_width = 0.30 * (right - left), note_width = 0.30 * (right - left);
  const Axis axis = axis_between(left + label_width + 8, right - note_width - 8);
  const double top = y + 22, height = 24;
  draw_axis(svg, axis, top, top + height * static_cast<double>(rows.size()));
  svg.text({right - note_width, top - 6}, "what changed most", {kSmall, Ink::kSoft});
  double at = top + height / 2;
  for (const CategoryRow* row : rows) {
    svg.text({left + label_width, at + 4.5}, ellipsise(clean_line(row->title), label_width, kBody),
             {kBody, Ink::kInk, Anchor::kEnd});
    draw_bar(svg, axis, at, row->largest_effect);
    svg.text({right - note_width, at + 4}, ellipsise(clean_line(row->largest_effect_name), note_width, kSmall),
             {kSmall, Ink::kSoft});
    at += height;
  }
  return at - height / 2 + 6;
}

double draw_narrow(Svg& svg, const Canvas& canvas, const std::vector<const CategoryRow*>& rows, double y) {
  const double left = left_edge(canvas), right = right_edge(svg, canvas), height = 56, top = y + 22;
  const Axis axis = axis_between(left, right);
  draw_axis(svg, axis, top, top);
  double at = top;
  for (const CategoryRow* row : rows) {
    svg.text({left, at + 16}, ellipsise(clean_line(row->title), right - left, kStrong), {kStrong});
    svg.line({axis.at(0), at + 21}, {axis.at(0), at + 35}, {.ink = Ink::kShared});
    draw_bar(svg, axis, at + 28, row->largest_effect);
    svg.text({left, at + 47}, ellipsise(clean_line(row->largest_effect_name), right - left, kSmall), {kSmall, Ink::kSoft});
    at += height;
  }
  return at;
}

}  // namespace

Figure draw_capability_change(const Report& report, const Canvas& canvas) {
  Svg svg(canvas.width);
  const std::string alt = describe_capabilities(report);
  double y = draw_heading(svg, canvas, "Capability change by category", alt + " Bars: Cliff's delta, from −1 to +1.");
  const auto rows = strongest(report);
  if (rows.empty()) {
    svg.text({left_edge(canvas), y + 16}, alt, {kBody});
    return finish(svg, y + 30, canvas, "capability_change", "Capability change", alt);
  }
  y = canvas.width >= 560 ? draw_wide(svg, canvas, rows, y) : draw_narrow(svg, canvas, rows, y);
  return finish(svg, y, canvas, "capability_change", "Capability change", alt);
}

}  // namespace fi
