// Rows made of known directions: what a trained crosscoder and the classes of its latents say, against what was planted.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "fi/activations/row_statistics.h"
#include "fi/features/find_features.h"
#include "fi/training/train_crosscoder.h"
#include "planted_world.h"

namespace fi {
namespace {

constexpr int64_t kWidth = 48;
constexpr int64_t kRows = 24'000;
constexpr double kSameDirection = 0.9;

TrainingConfig planted_config() {
  return {.num_latents = 96,
          .k = 2,
          .k_initial = 6,
          .k_anneal_steps = 200,
          .batch_size = 512,
          .num_steps = 1500,
          .lr = 2e-3,
          .warmup_steps = 20,
          .decay_steps = 300,
          .dead_after_rows = 10'000,
          .seed = 1};
}

void append(std::vector<PlantedFeature>& features, int count, const PlantedFeature& feature) {
  features.insert(features.end(), static_cast<size_t>(count), feature);
}

PlantedWorld mixed_world() {
  std::vector<PlantedFeature> features;
  append(features, 36, {});
  append(features, 4, {.rate = 0.03, .base_weight = 0.0});
  append(features, 2, {.rate = 0.005, .base_weight = 0.0});
  append(features, 4, {.rate = 0.03, .target_weight = 0.0});
  append(features, 4, {.rate = 0.03, .target_weight = 2.0});
  append(features, 4, {.rate = 0.03, .target_weight = 0.4});
  return PlantedWorld::make(std::move(features), kWidth, 3);
}

struct Study {
  Crosscoder crosscoder;
  FeatureTable table;
};

Study study(const at::Tensor& rows, const at::Tensor& held_out, const TrainingConfig& config) {
  const MemoryRows source(rows);
  const RowStatistics statistics = statistics_of(source);
  const RowScaling scaling{.mean = statistics.mean(), .scale = statistics.scale()};
  Study result{.crosscoder = train_crosscoder(config, source, scaling, {}, silent_progress())};
  result.table = find_features(result.crosscoder, MemoryRows(held_out), unlabelled(held_out.size(0)), {.min_firings = 50},
                               silent_progress());
  return result;
}

struct Match {
  int64_t feature = 0;
  double cosine = 0.0;
};

// The planted direction nearest to what a latent writes into one model.
Match nearest(const PlantedWorld& world, const Crosscoder& c, int64_t model, int64_t latent) {
  const at::Tensor vector = c.decoder[model][latent];
  const at::Tensor cosines = world.directions.matmul(vector) / vector.norm().clamp_min(1e-20);
  const int64_t best = cosines.argmax().item<int64_t>();
  return {best, cosines[best].item<double>()};
}

std::string true_kind(const PlantedFeature& feature) {
  if (feature.base_weight == 0.0) return "added";
  if (feature.target_weight == 0.0) return "removed";
  return feature.base_weight == feature.target_weight ? "shared" : "modified";
}

std::string describe(const PlantedWorld& world, const Study& s, const Feature& f) {
  const Match base = nearest(world, s.crosscoder, 0, f.latent), target = nearest(world, s.crosscoder, 1, f.latent);
  return fmt::format(
      "latent {} {} fires {} share {:.2f} cos {:.2f} nu_base {:.2f} [{:.2f} {:.2f}] nu_target {:.2f} [{:.2f} {:.2f}] others "
      "{:.2f} "
      "{:.2f} "
      "| base {} {:.2f} {} | target {} {:.2f} {}\n",
      f.latent, f.kind, f.num_firings, f.target_norm_share, f.decoder_cosine, f.nu_error_base.value, f.nu_error_base.low,
      f.nu_error_base.high, f.nu_error_target.value, f.nu_error_target.low, f.nu_error_target.high, f.nu_others_base,
      f.nu_others_target, base.feature, base.cosine, true_kind(world.features[static_cast<size_t>(base.feature)]), target.feature,
      target.cosine, true_kind(world.features[static_cast<size_t>(target.feature)]));
}

struct Score {
  int64_t planted = 0;
  int64_t recovered = 0;  // planted features that some latent of the right class points at
  int64_t called = 0;
  int64_t right = 0;  // latents of the class that point at a planted feature of the class
};

Score score(const PlantedWorld& world, const Study& s, const std::string& kind, int64_t model) {
  Score result;
  std::vector<bool> found(world.features.size(), false);
  for (const Feature& feature : s.table.features) {
    if (feature.kind != kind) continue;
    const Match match = nearest(world, s.crosscoder, model, feature.latent);
    const bool is_right = true_kind(world.features[static_cast<size_t>(match.feature)]) == kind;
    ++result.called;
    result.right += is_right;
    if (is_right && match.cosine > kSameDirection) found[static_cast<size_t>(match.feature)] = true;
  }
  for (size_t i = 0; i < world.features.size(); ++i) {
    if (true_kind(world.features[i]) != kind) continue;
    ++result.planted;
    result.recovered += found[i];
  }
  return result;
}

std::string all_latents(const PlantedWorld& world, const Study& s) {
  std::string text;
  for (const Feature& feature : s.table.features) {
    if (feature.num_firings > 0) text += describe(world, s, feature);
  }
  return text;
}

class PlantedSeeds : public testing::TestWithParam<uint64_t> {};

TEST_P(PlantedSeeds, WhatOneModelLacksIsFoundAndNothingElseIsCalledSo) {
  const PlantedWorld world = mixed_world();
  TrainingConfig config = planted_config();
  config.seed = GetParam();
  const Study s = study(world.rows(kRows, 0.05, 10 + GetParam()), world.rows(kRows, 0.05, 20 + GetParam()), config);
  for (const auto& [kind, model] : {std::pair<std::string, int64_t>{"added", 1}, {"removed", 0}}) {
    const Score result = score(world, s, kind, model);
    EXPECT_EQ(result.recovered, result.planted) << kind << "\n" << all_latents(world, s);
    EXPECT_GE(static_cast<double>(result.right), 0.95 * static_cast<double>(result.called)) << kind << "\n"
                                                                                            << all_latents(world, s);
  }
  // A feature that is twice as strong in one model may be held by two latents, one for weak and one for strong rows, and a latent
  // may hold a shared and a reweighted feature together, where no class is right: measured 1.00, 0.83 and 0.92.
  const Score modified = score(world, s, "modified", 1);
  EXPECT_GE(modified.recovered, 6) << all_latents(world, s);
  EXPECT_GE(static_cast<double>(modified.right), 0.8 * static_cast<double>(modified.called)) << all_latents(world, s);
}

INSTANTIATE_TEST_SUITE_P(Seeds, PlantedSeeds, testing::Values(1, 2, 3));

TEST(Planted, IdenticalModelsHaveNothingExclusiveOrModified) {
  const PlantedWorld world = PlantedWorld::make(std::vector<PlantedFeature>(50), kWidth, 4);
  at::Tensor rows = world.rows(kRows, 0.05, 5), held_out = world.rows(kRows, 0.05, 6);
  for (at::Tensor& tensor : std::vector<at::Tensor>{rows, held_out}) tensor.select(1, 1).copy_(tensor.select(1, 0));
  for (const bool same_init : {true, false}) {
    TrainingConfig config = planted_config();
    config.same_init = same_init;
    const Study s = study(rows, held_out, config);
    for (const Feature& feature : s.table.features) {
      EXPECT_TRUE(feature.kind == "shared" || feature.kind == "undecided" || feature.kind == "dead")
          << describe(world, s, feature);
    }
  }
}

TEST(Planted, RequantisedModelsDifferInAtMostOneLatentOfAHundred) {
  const PlantedWorld world = PlantedWorld::make(std::vector<PlantedFeature>(50), kWidth, 4);
  at::Tensor rows = world.rows(kRows, 0.05, 5), held_out = world.rows(kRows, 0.05, 6);
  for (at::Tensor& tensor : std::vector<at::Tensor>{rows, held_out}) {
    tensor.select(1, 1).copy_(tensor.select(1, 0) + 0.02 * world.rows(kRows, 0.5, 7).select(1, 1));
  }
  const Study s = study(rows, held_out, planted_config());
  const auto differing = std::count_if(s.table.features.begin(), s.table.features.end(), [](const Feature& f) {
    return f.kind == "added" || f.kind == "removed" || f.kind == "modified";
  });
  EXPECT_LE(differing, 1) << all_latents(world, s);
}

// An L1 penalty favours the model that uses a feature more; the other's quarter of the strength must not be taken for nothing.
TEST(Planted, AnL1CrosscoderOfWeakenedFeaturesHasNothingExclusive) {
  std::vector<PlantedFeature> features;
  append(features, 40, {});
  append(features, 10, {.target_weight = 0.25});
  const PlantedWorld world = PlantedWorld::make(std::move(features), kWidth, 8);
  TrainingConfig config = planted_config();
  config.l1_weight = 4.0;
  const Study s = study(world.rows(kRows, 0.05, 9), world.rows(kRows, 0.05, 10), config);
  for (const Feature& f : s.table.features) {
    EXPECT_TRUE(f.kind != "added" && f.kind != "removed") << describe(world, s, f);
  }
}

}  // namespace
}  // namespace fi
