#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fi/claims/report_data.h"
#include "fi/report/figures/figure.h"
#include "fi/report/figures/svg.h"

namespace fi::figures {

// Parts that several figures share.

inline constexpr double kMargin = 24.0;
inline constexpr Font kTitle{17.0, FontWeight::kBold};
inline constexpr Font kStrong{13.0, FontWeight::kBold};
inline constexpr Font kBody{13.0, FontWeight::kRegular};
inline constexpr Font kSmall{11.5, FontWeight::kRegular};

struct Axis {
  double low = 0.0, high = 1.0;  // values
  double from = 0.0, to = 1.0;   // pixels

  double at(double value) const;  // clamped into [from, to]
};

struct LegendEntry {
  std::string label;
  Ink ink;
};

/// Left and right edge of the content.
double left_edge(const Canvas& canvas);
double right_edge(const Svg& svg, const Canvas& canvas);

/// Title and explanation of a figure that stands alone; returns the y at which content starts.
double draw_heading(Svg& svg, const Canvas& canvas, std::string_view title, std::string_view explanation);
/// Swatches with labels, wrapped; returns the y below.
double draw_legend(Svg& svg, const Canvas& canvas, double y, const std::vector<LegendEntry>& entries);
/// Lines of wrapped text; returns the baseline after the last line.
double draw_paragraph(Svg& svg, Point baseline, double max_width, std::string_view text, const TextStyle& style,
                      size_t max_lines);
/// A rounded label; returns its width, or 0 if it did not fit into `max_width`.
double draw_chip(Svg& svg, Point top_left, double max_width, std::string_view text, Ink ink);
/// Chips in rows; returns the y below.
double draw_chips(Svg& svg, Point top_left, double right, const std::vector<std::string>& texts, Ink ink, size_t max_rows);
/// Base and target rows over one axis; returns the y below.
double draw_effect_rows(Svg& svg, const Box& area, const EffectEstimate& effect);
/// A row of blocks, one per layer, those in `layers` filled.
void draw_layer_strip(Svg& svg, const Box& area, int64_t num_layers, const std::vector<int64_t>& layers, Ink ink);

/// Round numbers that cover low..high, about `count` of them.
std::vector<double> nice_ticks(double low, double high, int count);
/// Ticks for counts from 0 to at least `most`, whole numbers only: there is no half feature.
std::vector<double> count_ticks(int64_t most);
/// Every how many-th of numbers `step` pixels apart can be labelled, up to `last`: 1, 2, 5, 10, ...
int64_t label_stride(int64_t last, double step);
Ink kind_ink(std::string_view kind);
Ink verdict_ink(std::string_view verdict);
std::string file_stem(std::string_view text);

Figure finish(Svg& svg, double height, const Canvas& canvas, std::string stem, std::string title, std::string alt);

}  // namespace fi::figures
