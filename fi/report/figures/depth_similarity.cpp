#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "fi/report/figures/parts.h"
#include "fi/report/format.h"

namespace fi {
namespace {

using namespace figures;

constexpr double kSimilarityHeight = 170.0;

double shown(double similarity) { return std::isfinite(similarity) ? std::clamp(similarity, 0.0, 1.0) : 0.0; }

std::string describe(const std::vector<DepthPairRow>& rows) {
  if (rows.empty()) return "No layer was measured.";
  const auto least = std::min_element(rows.begin(), rows.end(), [](const DepthPairRow& a, const DepthPairRow& b) {
    return shown(a.similarity) < shown(b.similarity);
  });
  return fmt::format(
      "Similarity (linear CKA) of each layer of the target to the base's layer at the same depth, in {} layers; it is smallest "
      "in "
      "layer {} at {}.",
      rows.size(), least->target_layer, format_number(least->similarity));
}

}  // namespace

Figure draw_depth_similarity(const Report& report, const Canvas& canvas) {
  Svg svg(canvas.width);
  const std::vector<DepthPairRow>& rows = report.depth_pairs;
  const std::string alt = describe(rows);
  const double y = draw_heading(svg, canvas, "How alike the models are at the same depth", alt);
  const double left = left_edge(canvas) + 52, right = right_edge(svg, canvas), bottom = y + 10 + kSimilarityHeight;
  for (const double tick : {0.0, 0.5, 1.0}) {
    const double at = bottom - kSimilarityHeight * tick;
    svg.line({left, at}, {right, at}, {.ink = Ink::kLine});
    svg.text({left - 8, at + 4}, format_number(tick), {kSmall, Ink::kSoft, Anchor::kEnd});
  }
  const double step = (right - left) / static_cast<double>(std::max<size_t>(1, rows.size()));
  const int64_t stride = label_stride(static_cast<int64_t>(rows.size()) - 1, step);
  for (size_t i = 0; i < rows.size(); ++i) {
    const double x = left + step * (static_cast<double>(i) + 0.5), width = std::min(22.0, step * 0.7);
    const double height = kSimilarityHeight * shown(rows[i].similarity);
    svg.rect({x - width / 2, bottom - height, width, height}, {.fill = Ink::kTarget, .opacity = 0.75, .radius = 1.5});
    svg.hit_area({x - step / 2, bottom - kSimilarityHeight, step, kSimilarityHeight},
                 fmt::format("Layer {} of the target beside layer {} of the base: similarity {}", rows[i].target_layer,
                             rows[i].base_layer, format_number(rows[i].similarity)),
                 "layer", std::to_string(rows[i].target_layer));
    if (static_cast<int64_t>(i) % stride == 0)
      svg.text({x, bottom + 17}, std::to_string(rows[i].target_layer), {kSmall, Ink::kSoft, Anchor::kMiddle});
  }
  svg.text({(left + right) / 2, bottom + 36}, "layer of the target", {kSmall, Ink::kSoft, Anchor::kMiddle});
  return finish(svg, bottom + 44, canvas, "layer_map", "Layers at the same depth", alt);
}

}  // namespace fi
