#pragma once

#include <string>
#include <utility>
#include <vector>

#include "fi/report/figures/parts.h"

namespace fi::figures {

/// Where the parts of rows with intervals stand: a label, a plot, and numbers at the right edge. On a phone the plot takes the
/// whole width and a line of its own.
struct IntervalColumns {
  double left, right;
  double plot_from, plot_to;
  double numbers;  // right edge of the numbers

  bool narrow() const { return right - left < 520; }
};

IntervalColumns interval_columns(const Svg& svg, const Canvas& canvas);

struct IntervalRow {
  std::string label, numbers;
  double low, value, high;
  Ink ink;
};

/// One interval with its value over an axis; returns the y below.
double draw_interval_row(Svg& svg, const IntervalColumns& columns, const Axis& axis, double y, const IntervalRow& row);
/// A title over rows; returns the y below.
double draw_section(Svg& svg, const IntervalColumns& columns, double y, std::string_view title);
/// Labels at places of the axis, under its rows; returns the y below.
double draw_axis_labels(Svg& svg, const Axis& axis, double y, const std::vector<std::pair<double, std::string>>& ticks);

}  // namespace fi::figures
