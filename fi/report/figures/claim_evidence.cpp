#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "fi/report/figures/interval_rows.h"
#include "fi/report/format.h"
#include "fi/report/text.h"

namespace fi {
namespace {

using namespace figures;

constexpr size_t kMaxFindings = 10;

Ink difference_ink(double difference) { return difference >= 0 ? Ink::kTarget : Ink::kBase; }

double draw_findings(Svg& svg, const IntervalColumns& columns, double y, const std::vector<const Evidence*>& findings,
                     bool scalar) {
  if (findings.empty()) return y;
  y = draw_section(svg, columns, y,
                   scalar ? "Amounts: target minus base, each row on its own scale" : "Shares of answers: target minus base");
  for (const Evidence* finding : findings) {
    const EffectEstimate& effect = finding->effect;
    const double difference = effect.target - effect.base;
    double reach = 1.0;
    if (scalar) reach = std::max({std::abs(effect.ci_low), std::abs(effect.ci_high), std::abs(difference), 1e-12}) * 1.1;
    const Axis axis{-reach, reach, columns.plot_from, columns.plot_to};
    y = draw_interval_row(
        svg, columns, axis, y,
        {finding->description, format_change(effect), effect.ci_low, difference, effect.ci_high, difference_ink(difference)});
  }
  const Axis axis{-1, 1, columns.plot_from, columns.plot_to};
  if (!scalar) return draw_axis_labels(svg, axis, y, {{-1, "−100"}, {0, "0"}, {1, "+100 points"}}) + 8;
  return draw_axis_labels(svg, axis, y, {{-1, "less"}, {0, "0"}, {1, "more"}}) + 8;
}

double draw_causal(Svg& svg, const IntervalColumns& columns, double y, const Claim& claim) {
  const std::pair<const char*, const std::optional<CausalTest>*> tests[] = {
      {"necessity: taken from the target", &claim.necessity},
      {"sufficiency: given to the base", &claim.sufficiency},
      {"specificity: other behaviour moved", &claim.specificity}};
  if (!claim.necessity && !claim.sufficiency && !claim.specificity) return y;
  y = draw_section(svg, columns, y, "Causal tests, beside the harder control of equal rank (grey)");
  const Axis axis{-0.25, 1, columns.plot_from, columns.plot_to};
  for (const auto& [label, test] : tests) {
    if (!*test) continue;
    const CausalTest& t = **test;
    const double at = y + (columns.narrow() ? 27 : 11);
    y = draw_interval_row(
        svg, columns, axis, y,
        {label, fmt::format("{} (control {}) {}", format_share(t.effect), format_share(t.control_effect), t.passed ? "✓" : "✗"),
         t.ci_low, t.effect, t.ci_high, t.passed ? Ink::kGood : Ink::kSoft});
    svg.circle({axis.at(t.control_effect), at}, 3.5, {.fill = Ink::kShared});
  }
  return draw_axis_labels(svg, axis, y, {{0, "0"}, {0.5, "50%"}, {1, "100%"}}) + 8;
}

double draw_transplants(Svg& svg, const IntervalColumns& columns, double y, const Claim& claim, int64_t num_layers) {
  if (claim.transplants.empty()) return y;
  y = draw_section(svg, columns, y, "The base given the target's layers: share of the gap to the target that closes");
  for (const TransplantRow& row : claim.transplants) {
    const Axis axis{-0.1, 1, columns.plot_from, columns.plot_to};
    std::vector<int64_t> layers;
    for (int64_t layer = row.first_layer; layer <= row.last_layer && layer - row.first_layer < 1000; ++layer)
      layers.push_back(layer);
    const std::string label = format_layers(layers);
    const double top = y;
    y = draw_interval_row(
        svg, columns, axis, y,
        {label, fmt::format("{} ({})", format_share(row.share_closed), format_share_range(row.ci_low, row.ci_high)), row.ci_low,
         row.share_closed, row.ci_high, Ink::kTarget});
    const double strip_from = columns.left + 110, strip_to = axis.from - 24;
    if (!columns.narrow())
      draw_layer_strip(svg, {strip_from, top + 6, strip_to - strip_from, 10}, num_layers, layers, Ink::kModified);
  }
  const Axis axis{-0.1, 1, columns.plot_from, columns.plot_to};
  return draw_axis_labels(svg, axis, y, {{0, "0"}, {0.5, "50%"}, {1, "100%"}}) + 8;
}

}  // namespace

Figure draw_claim_evidence(const Claim& claim, int64_t num_layers, const Canvas& canvas) {
  Svg svg(canvas.width);
  const IntervalColumns columns = interval_columns(svg, canvas);
  double y = draw_heading(svg, canvas, "Evidence for " + claim.id, clean_line(claim.sentence));
  std::vector<const Evidence*> shares, scalars;
  for (size_t i = 0; i < std::min(claim.supporting.size(), kMaxFindings); ++i) {
    (claim.supporting[i].effect.is_scalar ? scalars : shares).push_back(&claim.supporting[i]);
  }
  Evidence own{claim.id, claim.effect.metric, claim.categories, claim.effect, true};
  if (claim.supporting.empty()) (claim.effect.is_scalar ? scalars : shares).push_back(&own);
  y = draw_findings(svg, columns, y, shares, false);
  y = draw_findings(svg, columns, y, scalars, true);
  y = draw_causal(svg, columns, y, claim);
  y = draw_transplants(svg, columns, y, claim, num_layers);
  const std::string alt = fmt::format(
      "Evidence for {}: {} supporting finding{}, {} transplants. The same numbers stand in the table.", clean_line(claim.id),
      claim.supporting.size(), claim.supporting.size() == 1 ? "" : "s", claim.transplants.size());
  return finish(svg, y - 6, canvas, claim.id + "_evidence", "Evidence for " + claim.id, alt);
}

}  // namespace fi
