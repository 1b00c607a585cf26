#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "fi/claims/report_data.h"
#include "fi/core/progress.h"
#include "fi/report/figures/svg.h"

namespace fi {

struct Figure {
  std::string file_stem;  // letters, digits, '-', '_' and '.' only
  std::string title;
  std::string alt;
  std::string svg;
  std::vector<TextBox> text_boxes;
};

/// How a figure is drawn: on its own, with paper, heading and note, or as a part of a page that has these.
struct Canvas {
  double width = 760.0;
  bool standalone = true;
};

Figure draw_layer_map(const Report& report, const Canvas& canvas);
/// What the layer map is for models of other shapes: similarity of the layers at equal depth.
Figure draw_depth_similarity(const Report& report, const Canvas& canvas);
Figure draw_feature_distribution(const Report& report, const Canvas& canvas);
/// How many features either model uses how much: a histogram on a logarithmic axis.
Figure draw_feature_usage(const Report& report, const Canvas& canvas);
/// A crosscoder's latents by the target's share of their decoder norm, numbers on a logarithmic axis.
Figure draw_decoder_norms(const NormHistogram& norms, const Canvas& canvas);
/// Norms of both residual streams by layer.
Figure draw_residual_norms(const Report& report, const Canvas& canvas);
/// How far each weight matrix moved: layers across, the matrices of a block down, darker for more, on a logarithmic scale.
Figure draw_weight_change(const Report& report, const Canvas& canvas);
/// Share of the KL that each method's directions remove, with its interval.
Figure draw_baselines_race(const BaselinesRace& race, const Canvas& canvas);
/// The categories whose answers moved most, at most 24.
Figure draw_capability_change(const Report& report, const Canvas& canvas);
/// Sentence, verdict, layers, and the effect.
Figure draw_claim_card(const Claim& claim, const Canvas& canvas);
/// Base and target with the interval of their difference: the small plot in a card.
Figure draw_effect(const EffectEstimate& effect, const Canvas& canvas);
/// Which layers a claim names, as a strip.
Figure draw_claim_layers(const Claim& claim, int64_t num_layers, const Canvas& canvas);
/// Merged findings with intervals, causal tests beside their controls, and what transplanted layers close.
Figure draw_claim_evidence(const Claim& claim, int64_t num_layers, const Canvas& canvas);
/// What fires the feature, what it promotes, and how much either model uses it.
Figure draw_feature_callout(const FeatureRow& feature, int64_t num_layers, const Canvas& canvas);

/// Every figure of a report, most general first: overviews, two per claim, callouts of the strongest features.
std::vector<Figure> make_figures(const Report& report);

/// Features in the order of their share of the difference, those that claims name first.
std::vector<size_t> strongest_features(const Report& report, size_t max_features);

/// Writes SVG and PNG (at twice the size) of every figure into `folder`, which is created. Returns the paths, SVG first.
std::vector<std::filesystem::path> write_figures(const std::vector<Figure>& figures, const std::filesystem::path& folder,
                                                 ProgressSink& progress);

/// The same as `make_figures`, then `write_figures`.
std::vector<std::filesystem::path> write_figures(const Report& report, const std::filesystem::path& folder,
                                                 ProgressSink& progress);

}  // namespace fi
