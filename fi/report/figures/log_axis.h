#pragma once

#include <string>
#include <vector>

#include "fi/report/figures/parts.h"

namespace fi::figures {

/// Whole decades that cover the positive values, at most eight (the largest).
struct LogAxis {
  int low_power = -2, high_power = 0;
  double from = 0.0, to = 1.0;  // pixels

  double at(double value) const;  // clamped; values that are not positive stand at `from`
};

LogAxis log_axis(const std::vector<double>& values, double from, double to);

/// "0.01", "100", "10⁵".
std::string power_label(int power);

/// Lines and labels of the decades, from `left` to `right`; labels stand left of `left`.
void draw_decades(Svg& svg, const LogAxis& axis, double left, double right);

}  // namespace fi::figures
