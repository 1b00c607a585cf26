#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "fi/core/error.h"
#include "fi/io/atomic_file.h"
#include "fi/report/figures/figure.h"
#include "rust/cpp/raster.h"

namespace fi {
namespace {

constexpr size_t kMaxCallouts = 24;
constexpr double kPngScale = 2.0;

// Two ids may become one file name ("a b" and "a_b"): later ones get a number.
void make_stems_unique(std::vector<Figure>& figures) {
  std::set<std::string> taken;
  for (Figure& figure : figures) {
    const std::string stem = figure.file_stem;
    for (int number = 2; !taken.insert(figure.file_stem).second; ++number) figure.file_stem = fmt::format("{}_{}", stem, number);
  }
}

}  // namespace

std::vector<size_t> strongest_features(const Report& report, size_t max_features) {
  std::set<std::string> claimed;
  for (const Claim& claim : report.claims) claimed.insert(claim.features.begin(), claim.features.end());
  std::vector<size_t> order(report.features.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const FeatureRow &left = report.features[a], &right = report.features[b];
    const bool left_claimed = claimed.count(left.id) > 0, right_claimed = claimed.count(right.id) > 0;
    return left_claimed != right_claimed ? left_claimed
                                         : left.share_of_difference.value_or(0.0) > right.share_of_difference.value_or(0.0);
  });
  if (order.size() > max_features) order.resize(max_features);
  return order;
}

std::vector<Figure> make_figures(const Report& report) {
  const Canvas canvas;
  const int64_t num_layers = report.base.num_layers;
  std::vector<Figure> figures;
  figures.push_back(draw_layer_map(report, canvas));
  figures.push_back(draw_feature_distribution(report, canvas));
  figures.push_back(draw_capability_change(report, canvas));
  figures.push_back(draw_feature_usage(report, canvas));
  for (const NormHistogram& norms : report.decoder_norms) figures.push_back(draw_decoder_norms(norms, canvas));
  figures.push_back(draw_residual_norms(report, canvas));
  if (!report.weight_changes.empty()) figures.push_back(draw_weight_change(report, canvas));
  if (report.baselines) figures.push_back(draw_baselines_race(*report.baselines, canvas));
  for (const Claim& claim : report.claims) {
    figures.push_back(draw_claim_card(claim, canvas));
    figures.push_back(draw_claim_evidence(claim, num_layers, canvas));
  }
  for (const size_t index : strongest_features(report, kMaxCallouts)) {
    figures.push_back(draw_feature_callout(report.features[index], num_layers, canvas));
  }
  make_stems_unique(figures);
  return figures;
}

std::vector<std::filesystem::path> write_figures(const std::vector<Figure>& figures, const std::filesystem::path& folder,
                                                 ProgressSink& progress) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  check(!error, ErrorCode::kDisk, "[write figures] cannot make the folder {}: {}; choose another output folder.", folder.string(),
        error.message());
  StageProgress stage(progress, "figures", static_cast<int64_t>(figures.size()), "figures");
  std::vector<std::filesystem::path> paths;
  for (const Figure& figure : figures) {
    check_interrupt();
    for (const char* extension : {".svg", ".png"}) {
      paths.push_back(folder / (figure.file_stem + extension));
      const bool raster = extension == std::string_view(".png");
      write_file_atomically(paths.back(), raster ? svg_to_png(figure.svg, kPngScale) : figure.svg);
    }
    stage.advance(1, figure.file_stem);
  }
  return paths;
}

std::vector<std::filesystem::path> write_figures(const Report& report, const std::filesystem::path& folder,
                                                 ProgressSink& progress) {
  return write_figures(make_figures(report), folder, progress);
}

}  // namespace fi
