#include <fmt/format.h>

#include <algorithm>

#include "fi/report/figures/interval_rows.h"
#include "fi/report/format.h"
#include "fi/report/overview.h"
#include "fi/report/text.h"

namespace fi {
namespace {

using namespace figures;

// Bars to measure the others by: what so many directions do by chance, and all that this layer can do.
bool is_control(const BaselineRow& row) { return row.method == "random subspace" || row.method == "whole residual stream"; }

bool is_dictionary(const BaselineRow& row) { return row.method.ends_with(" latents"); }

Ink method_ink(const BaselineRow& row) {
  if (is_control(row)) return Ink::kSoft;
  return is_dictionary(row) ? Ink::kTarget : Ink::kModified;
}

}  // namespace

Figure draw_baselines_race(const BaselinesRace& race, const Canvas& canvas) {
  Svg svg(canvas.width);
  const std::string title = "Simple methods beside the crosscoder", alt = clean_line(race.result);
  double y = draw_heading(svg, canvas, title, fmt::format("{} Bars: share of the KL at layer {} that goes.", alt, race.layer));
  std::vector<LegendEntry> legend = {{"simple method", Ink::kModified}, {"for scale", Ink::kSoft}};
  if (std::ranges::any_of(race.rows, is_dictionary)) legend.insert(legend.begin() + 1, {"trained dictionary", Ink::kTarget});
  y = draw_legend(svg, canvas, y, legend);
  const IntervalColumns columns = interval_columns(svg, canvas);
  const Axis axis{-0.1, 1, columns.plot_from, columns.plot_to};
  for (const BaselineRow& row : race.rows) {
    const std::string numbers = fmt::format("{} ({})", format_share(row.kl_removed), format_share_range(row.ci_low, row.ci_high));
    y = draw_interval_row(svg, columns, axis, y,
                          {contestant_label(row), numbers, row.ci_low, row.kl_removed, row.ci_high, method_ink(row)});
  }
  y = draw_axis_labels(svg, axis, y, {{0, "0"}, {0.5, "50%"}, {1, "100%"}});
  return finish(svg, y - 6, canvas, "baselines_race", title, alt);
}

}  // namespace fi
