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

// Effects lie in -1..1; the labels beyond the bars need 46 pixels. A side on which nothing lies gets no room.
Axis axis_between(double from, double to, const std::vector<const CategoryRow*>& rows) {
  const auto lies_below = [](const CategoryRow* row) { return !(row->largest_effect >= 0); };
  const bool below = std::ranges::any_of(rows, lies_below), above = !std::ranges::all_of(rows, lies_below);
  return {below ? -1.0 : 0.0, above ? 1.0 : 0.0, from + (below ? 46 : 0), to - (above ? 46 : 0)};
}

void draw_axis(Svg& svg, const Axis& axis, double top, double bottom) {
  const double zero = axis.at(0);
  svg.line({zero, top}, {zero, bottom}, {.ink = Ink::kShared});
  if (axis.low < 0) {
    const std::string less = ellipsise("← less in the target", zero - axis.from + 40, kSmall);
    svg.text({zero - 8, top - 6}, less, {kSmall, Ink::kBase, Anchor::kEnd});
  }
  if (axis.high > 0) {
    const std::string more = ellipsise("more in the target →", axis.to - zero + 40, kSmall);
    svg.text({zero + 8, top - 6}, more, {kSmall, Ink::kTarget});
  }
}

// As wide as the longest of a column's texts, within bounds.
double column_width(const std::vector<const CategoryRow*>& rows, std::string CategoryRow::*text, const Font& font, double least,
                    double most) {
  double width = least;
  for (const CategoryRow* row : rows) width = std::max(width, text_width(clean_line(row->*text), font));
  return std::min(width, most);
}

double draw_wide(Svg& svg, const Canvas& canvas, const std::vector<const CategoryRow*>& rows, double y) {
  const double left = left_edge(canvas), right = right_edge(svg, canvas);
  const double width = right - left;
  const double label_width = column_width(rows, &CategoryRow::title, kBody, 0.2 * width, 0.38 * width);
  const double note_width = column_width(rows, &CategoryRow::largest_effect_name, kSmall, 0.2 * width, 0.3 * width);
  const Axis axis = axis_between(left + label_width + 12, right - note_width - 8, rows);
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
  const Axis axis = axis_between(left, right, rows);
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
