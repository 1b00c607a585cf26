#include "fi/report/figures/interval_rows.h"

#include "fi/report/text.h"

namespace fi::figures {

IntervalColumns interval_columns(const Svg& svg, const Canvas& canvas) {
  const double left = left_edge(canvas), right = right_edge(svg, canvas), width = right - left;
  if (width < 520) return {left, right, left + 6, right - 6, right};
  return {left, right, left + 0.38 * width, right - 0.3 * width, right};
}

double draw_section(Svg& svg, const IntervalColumns& columns, double y, std::string_view title) {
  return draw_paragraph(svg, {columns.left, y + 14}, columns.right - columns.left, title, {kStrong}, 3) - 6;
}

double draw_interval_row(Svg& svg, const IntervalColumns& columns, const Axis& axis, double y, const IntervalRow& row) {
  const double numbers_width = columns.narrow() ? 0.46 * (columns.right - columns.left) : columns.right - axis.to - 16;
  const std::string numbers = ellipsise(row.numbers, numbers_width, kSmall);
  const double label_right = columns.narrow() ? columns.right - text_width(numbers, kSmall) - 10 : axis.from - 12;
  svg.text({columns.left, y + 15}, ellipsise(clean_line(row.label), label_right - columns.left, kSmall), {kSmall});
  svg.text({columns.numbers, y + 15}, numbers, {kSmall, Ink::kSoft, Anchor::kEnd});
  const double at = columns.narrow() ? y + 27 : y + 11;
  svg.line({axis.from, at}, {axis.to, at}, {.ink = Ink::kLine});
  const double zero = axis.at(0);
  svg.line({zero, at - 8}, {zero, at + 8}, {.ink = Ink::kShared});
  svg.line({axis.at(row.low), at}, {axis.at(row.high), at}, {.ink = row.ink, .width = 3});
  svg.circle({axis.at(row.value), at}, 4.5, {.fill = row.ink});
  return y + (columns.narrow() ? 42 : 24);
}

double draw_axis_labels(Svg& svg, const Axis& axis, double y, const std::vector<std::pair<double, std::string>>& ticks) {
  for (size_t i = 0; i < ticks.size(); ++i) {
    const double x = axis.at(ticks[i].first);
    const Anchor anchor = x <= axis.from + 1 ? Anchor::kStart : x >= axis.to - 1 ? Anchor::kEnd : Anchor::kMiddle;
    svg.text({x, y + 10}, ticks[i].second, {kSmall, Ink::kSoft, anchor});
  }
  return y + 26;
}

}  // namespace fi::figures
