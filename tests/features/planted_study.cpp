#include "planted_study.h"

#include <fmt/format.h>

#include <cmath>
#include <numeric>

#include "fi/activations/row_statistics.h"

namespace fi {
namespace {

constexpr double kSameDirection = 0.9;
constexpr double kRareRate = 0.01;
constexpr double kNormsRemoved = 0.1, kNormsAdded = 0.9;  // relative decoder norm of the target

struct Match {
  int64_t feature = 0;
  double cosine = 0.0;
};

// The planted direction nearest to what a latent writes into one model.
Match nearest(const PlantedStudy& study, int64_t model, int64_t latent) {
  const at::Tensor vector = study.crosscoder.decoder[model][latent];
  const at::Tensor cosines = study.world.directions.matmul(vector) / vector.norm().clamp_min(1e-20);
  const int64_t best = cosines.argmax().item<int64_t>();
  return {best, cosines[best].item<double>()};
}

void append(std::vector<PlantedFeature>& features, int count, const PlantedFeature& feature) {
  features.insert(features.end(), static_cast<size_t>(count), feature);
}

const PlantedFeature& feature_at(const PlantedStudy& study, int64_t index) {
  return study.world.features[static_cast<size_t>(index)];
}

// What a latent of a class points at, in the model that has it (more of it).
Match pointed_at(const PlantedStudy& study, const Feature& feature) {
  const bool in_target = feature.kind == "added" || (feature.kind == "modified" && feature.use_ratio >= 1.0);
  return nearest(study, in_target ? 1 : 0, feature.latent);
}

bool is_right(const PlantedStudy& study, const Feature& feature) {
  return true_kind(feature_at(study, pointed_at(study, feature).feature)) == feature.kind;
}

enum Found : uint8_t { kMissed, kRecovered, kHidden };

// By planted feature: whether a latent of this class points at it, and whether decoder norms would have called that one shared.
std::vector<Found> found_features(const PlantedStudy& study, const std::string& kind) {
  std::vector<Found> found(study.world.features.size(), kMissed);
  for (const Feature& feature : study.table.features) {
    if (feature.kind != kind || !is_right(study, feature)) continue;
    const Match match = pointed_at(study, feature);
    if (match.cosine < kSameDirection) continue;
    found[static_cast<size_t>(match.feature)] = norms_call_exclusive(feature) ? kRecovered : kHidden;
  }
  return found;
}

FeatureTable classed(const Crosscoder& crosscoder, const at::Tensor& held_out) {
  return find_features(crosscoder, MemoryRows(held_out), unlabelled(held_out.size(0)), {.min_firings = 50}, silent_progress());
}

at::Tensor held_out_rows(const PlantedWorld& world, uint64_t seed) {
  return world.rows(kPlantedRows, kPlantedNoise, 2 * seed + 1);
}

}  // namespace

PlantedWorld mixed_world(uint64_t seed) {
  std::vector<PlantedFeature> features;
  append(features, 80, {.rate = 0.02});
  append(features, 8, {.rate = 0.02, .base_weight = 0.0});
  append(features, 4, {.rate = 0.005, .base_weight = 0.0});
  append(features, 8, {.rate = 0.02, .target_weight = 0.0});
  append(features, 4, {.rate = 0.005, .target_weight = 0.0});
  append(features, 8, {.rate = 0.02, .target_weight = 2.0});
  append(features, 8, {.rate = 0.02, .target_weight = 0.4});
  return PlantedWorld::make(std::move(features), kPlantedWidth, seed);
}

TrainingConfig planted_config(const PlantedWorld& world, uint64_t seed) {
  constexpr int64_t kSteps = 4000;  // half as many leave a third of the rare directions without a latent
  const double held = std::accumulate(world.features.begin(), world.features.end(), 0.0,
                                      [](double sum, const PlantedFeature& feature) { return sum + feature.rate; });
  const auto num_features = static_cast<int64_t>(world.features.size());
  TrainingConfig config = usual_config(2 * num_features, static_cast<int64_t>(std::ceil(held)), kSteps);
  config.batch_size = 512;
  config.seed = seed;
  return config;
}

PlantedStudy study_rows(PlantedWorld world, const at::Tensor& rows, const at::Tensor& held_out, const TrainingConfig& config) {
  const MemoryRows source(rows);
  const RowStatistics statistics = statistics_of(source);
  const RowScaling scaling{.mean = statistics.mean(), .scale = statistics.scale()};
  PlantedStudy study{.world = std::move(world), .crosscoder = train_crosscoder(config, source, scaling, {}, silent_progress())};
  study.table = classed(study.crosscoder, held_out);
  return study;
}

PlantedStudy study_world(PlantedWorld world, const TrainingConfig& config, uint64_t seed) {
  const at::Tensor rows = world.rows(kPlantedRows, kPlantedNoise, 2 * seed);
  const at::Tensor held_out = held_out_rows(world, seed);
  return study_rows(std::move(world), rows, held_out, config);
}

PlantedStudy with_norms_hidden(const PlantedStudy& study, uint64_t seed) {
  PlantedStudy result = study;
  // A second vector would double the scaled code, and with it what exceeds the threshold: codes stay as they were trained.
  result.crosscoder = with_unit_code_norms(study.crosscoder);
  result.crosscoder.code_norm = CodeNorm::kNone;
  const at::Tensor decoder = result.crosscoder.decoder, norms = decoder.norm(2, {2}, true);  // [2, num_latents, 1]
  const at::Tensor stronger = at::where(norms[0] > norms[1], decoder[0], decoder[1]);
  const at::Tensor share = norms[1] / (norms[0] + norms[1]);
  result.crosscoder.decoder = at::where(share.lt(kNormsRemoved).logical_or(share.gt(kNormsAdded)), stronger, decoder);
  result.table = classed(result.crosscoder, held_out_rows(study.world, seed));
  return result;
}

PlantedScore score_of(const PlantedStudy& study, const std::string& kind) {
  PlantedScore score;
  const std::vector<Found> found = found_features(study, kind);
  for (const Feature& feature : study.table.features) {
    score.called += feature.kind == kind;
    score.right += feature.kind == kind && is_right(study, feature);
  }
  for (size_t i = 0; i < found.size(); ++i) {
    if (true_kind(study.world.features[i]) != kind) continue;
    const bool is_rare = study.world.features[i].rate < kRareRate;
    ++score.planted;
    score.recovered += found[i] != kMissed;
    score.hidden += found[i] == kHidden;
    score.rare_planted += is_rare;
    score.rare_recovered += is_rare && found[i] != kMissed;
  }
  return score;
}

std::string describe_missed(const PlantedStudy& study, const std::string& kind) {
  constexpr double kNear = 0.6;
  std::string text;
  const std::vector<Found> found = found_features(study, kind);
  for (size_t i = 0; i < found.size(); ++i) {
    if (true_kind(study.world.features[i]) != kind || found[i] != kMissed) continue;
    text += fmt::format("  missed {} {} of rate {}\n", kind, i, study.world.features[i].rate);
    for (const Feature& feature : study.table.features) {
      const auto points_at = [&](int64_t model) {
        const Match match = nearest(study, model, feature.latent);
        return match.feature == static_cast<int64_t>(i) && match.cosine > kNear;
      };
      if (feature.num_firings > 0 && (points_at(0) || points_at(1))) text += "    " + describe(study, feature);
    }
  }
  for (const Feature& feature : study.table.features) {
    if (feature.kind == kind && !is_right(study, feature)) text += "  wrong: " + describe(study, feature);
  }
  return text;
}

std::string true_kind(const PlantedFeature& feature) {
  if (feature.base_weight == 0.0) return "added";
  if (feature.target_weight == 0.0) return "removed";
  return feature.base_weight == feature.target_weight ? "shared" : "modified";
}

std::string describe(const PlantedStudy& study, const Feature& f) {
  const Match base = nearest(study, 0, f.latent), target = nearest(study, 1, f.latent);
  return fmt::format(
      "latent {} {} fires {} share {:.2f} cos {:.2f} nu_base {:.2f} [{:.2f} {:.2f}] nu_target {:.2f} [{:.2f} {:.2f}] "
      "others {:.2f} {:.2f} | base {} {:.2f} {} | target {} {:.2f} {}\n",
      f.latent, f.kind, f.num_firings, f.target_norm_share, f.decoder_cosine, f.nu_error_base.value, f.nu_error_base.low,
      f.nu_error_base.high, f.nu_error_target.value, f.nu_error_target.low, f.nu_error_target.high, f.nu_others_base,
      f.nu_others_target, base.feature, base.cosine, true_kind(feature_at(study, base.feature)), target.feature, target.cosine,
      true_kind(feature_at(study, target.feature)));
}

std::string describe_latents(const PlantedStudy& study) {
  std::string text;
  for (const Feature& feature : study.table.features) {
    if (feature.num_firings > 0) text += describe(study, feature);
  }
  return text;
}

bool norms_call_exclusive(const Feature& feature) {
  return feature.target_norm_share < kNormsRemoved || feature.target_norm_share > kNormsAdded;
}

}  // namespace fi
