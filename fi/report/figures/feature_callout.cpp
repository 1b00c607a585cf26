#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "fi/report/figures/parts.h"
#include "fi/report/format.h"
#include "fi/report/overview.h"
#include "fi/report/text.h"

namespace fi {
namespace {

using namespace figures;

constexpr size_t kMaxExamples = 4;
constexpr size_t kMaxCategories = 4;
constexpr double kTokenRow = 24.0;

// Token texts come with their leading space; an invisible token is drawn as a sign.
std::string token_text(const std::string& bytes) {
  const std::string text = clean_line(bytes);
  return text.find_first_not_of(' ') == std::string::npos ? "·" : text;
}

double draw_label(Svg& svg, Point at, std::string_view text) {
  svg.text(at, text, {kSmall, Ink::kSoft});
  return at.y + 20;
}

void draw_tint(Svg& svg, const Box& half, double value, Ink ink) {
  const double shown = std::clamp(std::isfinite(value) ? value : 0.0, 0.0, 1.0);
  if (shown >= 0.05) svg.rect(half, {.fill = ink, .opacity = 0.08 + 0.42 * shown, .radius = 2});
}

// Tokens in at most three rows. The upper half of each is tinted as strongly as the base has the feature there, the lower half as
// the target.
double draw_example(Svg& svg, Point at, double right, const FeatureExample& example) {
  svg.rect({at.x, at.y - 12, 3, 16}, {.fill = Ink::kLine, .radius = 1});
  const double left = at.x + 12;
  double x = left;
  int row = 1;
  for (const TokenValue& token : example.tokens) {
    const std::string text = ellipsise(token_text(token.text), right - left, kBody);
    const double width = text_width(text, kBody);
    if (x > left && x + width > right - 16) {
      if (++row > 3) {
        svg.text({x, at.y}, "…", {kBody, Ink::kSoft});
        break;
      }
      x = left;
      at.y += kTokenRow;
    }
    draw_tint(svg, {x - 0.5, at.y - 13, width + 1, 9}, token.base, Ink::kBase);
    draw_tint(svg, {x - 0.5, at.y - 4, width + 1, 9}, token.target, Ink::kTarget);
    svg.text({x, at.y}, text, {kBody, Ink::kInk});
    x += width + 1.5;
  }
  return at.y + kTokenRow + 4;
}

double draw_use(Svg& svg, Point at, double width, const FeatureRow& feature) {
  const double most = std::max({feature.base_use, feature.target_use, 1e-12});
  const std::tuple<const char*, double, Ink> bars[] = {{"base", feature.base_use, Ink::kBase},
                                                       {"target", feature.target_use, Ink::kTarget}};
  for (const auto& [label, use, ink] : bars) {
    const double room = width - 46 - 58;
    svg.text({at.x, at.y}, label, {kSmall, ink});
    svg.rect({at.x + 46, at.y - 9, std::max(1.5, room * std::clamp(use / most, 0.0, 1.0)), 10}, {.fill = ink, .radius = 2});
    svg.text({at.x + width, at.y}, format_number(use), {kSmall, ink, Anchor::kEnd});
    at.y += 19;
  }
  return at.y;
}

double draw_categories(Svg& svg, Point at, double width, const FeatureRow& feature) {
  if (feature.categories.empty()) return at.y;
  double y = draw_label(svg, {at.x, at.y + 8}, "strongest on prompts of");
  for (size_t i = 0; i < std::min(feature.categories.size(), kMaxCategories); ++i) {
    const CategoryUse& use = feature.categories[i];
    const std::string numbers = fmt::format("{} → {}", format_number(use.base), format_number(use.target));
    std::string title = clean_line(use.category);
    std::replace(title.begin(), title.end(), '_', ' ');
    svg.text({at.x, y}, ellipsise(title, width - text_width(numbers, kSmall) - 10, kSmall), {kSmall});
    svg.text({at.x + width, y}, numbers, {kSmall, Ink::kSoft, Anchor::kEnd});
    y += 18;
  }
  return y;
}

double draw_left(Svg& svg, const Box& box, const FeatureRow& feature) {
  const std::string name = feature.name.value_or("Unnamed feature");
  double y = draw_paragraph(svg, {box.x, box.y + 14}, box.width, name, {{16, FontWeight::kBold}, Ink::kInk}, 5);
  const std::string fires = feature.fires_on.value_or("");
  // Promoted tokens stand on the right, each as a chip.
  const std::string promotes = feature.promoted_tokens.empty() ? feature.promotes.value_or("") : "";
  if (!fires.empty() && !name.ends_with(fires)) {  // else the name says it
    y = draw_label(svg, {box.x, y + 6}, "fires on");
    y = draw_paragraph(svg, {box.x, y - 2}, box.width, fires, {kBody, Ink::kInk}, 3);
  }
  if (!promotes.empty()) {
    y = draw_label(svg, {box.x, y + 6}, "promotes");
    y = draw_paragraph(svg, {box.x, y - 2}, box.width, promotes, {kBody, Ink::kInk}, 3);
  }
  y = draw_label(svg, {box.x, y + 8}, "mean use over all tokens");
  y = draw_use(svg, {box.x, y}, box.width, feature);
  y = draw_categories(svg, {box.x, y}, box.width, feature);
  if (feature.share_of_difference) {
    const std::string share = "explains " + format_share(*feature.share_of_difference) + " of this layer's difference";
    y = draw_paragraph(svg, {box.x, y + 6}, box.width, share, {kSmall, Ink::kSoft}, 2);
  }
  for (const std::string& note : feature_notes(feature))
    y = draw_paragraph(svg, {box.x, y + 6}, box.width, note, {kSmall, Ink::kSoft}, 4);
  return y;
}

double draw_right(Svg& svg, const Box& box, const FeatureRow& feature) {
  double y = draw_label(svg, {box.x, box.y + 12}, "token by token: base above, target below (darker: more)") + 4;
  for (size_t i = 0; i < std::min(feature.examples.size(), kMaxExamples); ++i) {
    y = draw_example(svg, {box.x, y}, box.x + box.width, feature.examples[i]);
  }
  if (feature.examples.empty()) {
    svg.text({box.x, y}, "no example kept", {kBody, Ink::kSoft});
    y += kTokenRow;
  }
  const std::pair<const char*, const std::vector<std::string>*> lists[] = {{"raises the chance of", &feature.promoted_tokens},
                                                                           {"lowers the chance of", &feature.suppressed_tokens}};
  for (const auto& [label, tokens] : lists) {
    if (tokens->empty()) continue;
    std::vector<std::string> shown;
    for (const std::string& token : *tokens) {
      const std::string text = token_text(token);
      const size_t from = text.find_first_not_of(' ');
      shown.push_back(text.substr(from, text.find_last_not_of(' ') - from + 1));
    }
    y = draw_label(svg, {box.x, y + 4}, label) - 12;
    y = draw_chips(svg, {box.x, y}, box.x + box.width, shown, Ink::kSoft, 2) + 14;
  }
  return y;
}

std::string describe(const FeatureRow& feature) {
  return fmt::format("Feature {} in layer {} ({}): {}; mean use {} in the base, {} in the target.", clean_line(feature.id),
                     feature.layer, feature.kind, clean_line(feature.name.value_or("unnamed")), format_number(feature.base_use),
                     format_number(feature.target_use));
}

}  // namespace

Figure draw_feature_callout(const FeatureRow& feature, int64_t num_layers, const Canvas& canvas) {
  Svg svg(canvas.width);
  const double left = left_edge(canvas), right = right_edge(svg, canvas), pad = 20;
  // Content first, to learn the height; the box is drawn under it by a second pass over the same layout.
  Svg content(canvas.width);
  const double top = (canvas.standalone ? 20.0 : 2.0), inner = left + pad;
  double x = inner;
  x += draw_chip(content, {x, top + 16}, 0.45 * canvas.width, feature.id, Ink::kSoft) + 7;
  x += draw_chip(content, {x, top + 16}, 120, feature.kind, Ink::kSoft) + 7;
  const double strip = std::min(170.0, right - pad - x - 80);
  if (strip > 40) {
    draw_layer_strip(content, {right - pad - strip, top + 21, strip, 11}, num_layers, {feature.layer}, Ink::kTarget);
    content.text({right - pad - strip - 8, top + 31}, fmt::format("layer {}", feature.layer), {kSmall, Ink::kSoft, Anchor::kEnd});
  }
  const double split = 0.36 * (right - left - 2 * pad), y = top + 52;
  const double left_bottom = draw_left(content, {inner, y, split - 14, 0}, feature);
  const double right_bottom = draw_right(content, {inner + split + 14, y, right - pad - inner - split - 14, 0}, feature);
  const double bottom = std::max(left_bottom, right_bottom);
  content.line({inner + split, y}, {inner + split, bottom - 8}, {.ink = Ink::kLine});
  svg.rect({left, top, right - left, bottom - top + 4}, {.fill = Ink::kCard, .radius = 10});
  svg.frame({left, top, right - left, bottom - top + 4}, {.ink = kind_ink(feature.kind), .width = 1.5}, 10);
  svg.append(content);
  return finish(svg, bottom + 12, canvas, "feature_" + feature.id, "Feature " + feature.id, describe(feature));
}

}  // namespace fi
