#include <fmt/format.h>

#include "fi/report/figures/parts.h"
#include "fi/report/format.h"
#include "fi/report/text.h"

namespace fi {
namespace {

using namespace figures;

std::string describe(const EffectEstimate& effect) {
  return fmt::format("{}: base {}, target {}; 95% interval of the difference {}; {}; {} prompts.", clean_line(effect.metric),
                     effect.is_scalar ? format_number(effect.base) : format_share(effect.base),
                     effect.is_scalar ? format_number(effect.target) : format_share(effect.target), format_interval(effect),
                     format_probability("q", effect.q_value), format_count(effect.num_prompts));
}

std::string statistics_line(const EffectEstimate& effect) {
  return fmt::format("95% interval of the difference: {} · {} · Cliff's delta {} · {} prompts", format_interval(effect),
                     format_probability("q", effect.q_value), format_delta(effect.effect_size), format_count(effect.num_prompts));
}

}  // namespace

Figure draw_effect(const EffectEstimate& effect, const Canvas& canvas) {
  Svg svg(canvas.width);
  const double left = left_edge(canvas);
  double y = draw_heading(svg, canvas, effect.metric, statistics_line(effect));
  y = draw_effect_rows(svg, {left, y, right_edge(svg, canvas) - left, 0}, effect);
  return finish(svg, y, canvas, "effect", "Effect", describe(effect));
}

Figure draw_claim_layers(const Claim& claim, int64_t num_layers, const Canvas& canvas) {
  Svg svg(canvas.width);
  const double left = left_edge(canvas), right = right_edge(svg, canvas);
  draw_layer_strip(svg, {left, 4, right - left, 16}, num_layers, claim.layers, Ink::kTarget);
  svg.text({left, 36}, "layer 0", {kSmall, Ink::kSoft});
  svg.text({right, 36}, std::to_string(std::max<int64_t>(num_layers - 1, 0)), {kSmall, Ink::kSoft, Anchor::kEnd});
  const std::string alt = fmt::format("{} of {}", format_layers(claim.layers), num_layers);
  return finish(svg, 40, canvas, claim.id + "_layers", "Layers", alt);
}

Figure draw_claim_card(const Claim& claim, const Canvas& canvas) {
  Svg svg(canvas.width);
  const double left = left_edge(canvas), right = right_edge(svg, canvas);
  double x = left, y = canvas.standalone ? 22 : 4;
  x += draw_chip(svg, {x, y}, 130, claim.verdict, verdict_ink(claim.verdict)) + 7;
  x += draw_chip(svg, {x, y}, 130, claim.kind, Ink::kSoft) + 7;
  draw_chip(svg, {x, y}, right - x, format_layers(claim.layers), Ink::kSoft);
  y = draw_paragraph(svg, {left, y + 50}, right - left, claim.sentence, {kTitle, Ink::kInk}, 5);
  y = draw_paragraph(svg, {left, y + 6}, right - left, claim.effect.metric, {kBody, Ink::kSoft}, 2);
  y = draw_effect_rows(svg, {left, y, right - left, 0}, claim.effect);
  y = draw_paragraph(svg, {left, y + 10}, right - left, statistics_line(claim.effect), {kSmall, Ink::kSoft}, 2);
  const std::string alt = clean_line(claim.sentence) + " " + describe(claim.effect);
  return finish(svg, y - 8, canvas, claim.id + "_card", "Claim " + claim.id, alt);
}

}  // namespace fi
