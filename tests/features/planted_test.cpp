// Rows made of known directions: what a trained crosscoder and the classes of its latents say, against what was planted.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "fi/activations/row_statistics.h"
#include "fi/dictionary/layers_side_by_side.h"
#include "planted_study.h"

namespace fi {
namespace {

bool is_exclusive(const std::string& kind) { return kind == "added" || kind == "removed"; }
bool is_changed(const std::string& kind) { return is_exclusive(kind) || kind == "modified"; }

void expect_found(const PlantedStudy& study, const std::string& kind) {
  const PlantedScore score = score_of(study, kind);
  EXPECT_EQ(score.recovered, score.planted) << kind << "\n" << describe_missed(study, kind);
  EXPECT_GE(static_cast<double>(score.right), 0.95 * static_cast<double>(score.called)) << kind << "\n"
                                                                                        << describe_missed(study, kind);
}

// The set-up was chosen on seeds 1 to 3. On 101 to 108 mixed latents were seen to be called modified, which changed the classes;
// these were then judged on 201 to 208: 191 of 192 exclusive features (one never got a latent), 128 of 128 modified ones, and on
// 301 to 316: 383 of 384. Half as many latents again do not change it (401 to 424: 574 of 576), nor does a longer decay of the
// learning rate. The three missed there have a latent of the right class nearest to them, at a cosine of 0.70 to 0.86 (0.9
// counts). Since vectors decay (usual_config) none of 301 to 316 is missed: 384 of 384.
class PlantedSeeds : public testing::TestWithParam<uint64_t> {};

TEST_P(PlantedSeeds, WhatDiffersIsFoundAndNothingElseIsCalledSo) {
  const PlantedWorld world = mixed_world(GetParam());
  const PlantedStudy study = study_world(world, planted_config(world, GetParam()), GetParam());
  for (const char* kind : {"added", "removed", "modified"}) expect_found(study, kind);
  const PlantedStudy hidden = with_norms_hidden(study, GetParam());
  for (const Feature& feature : hidden.table.features) EXPECT_FALSE(norms_call_exclusive(feature));
  for (const char* kind : {"added", "removed"}) expect_found(hidden, kind);
}

INSTANTIATE_TEST_SUITE_P(Fresh, PlantedSeeds, testing::Values(101, 102, 103, 104, 105));

// The second layer holds what the first does, turned and ten times as large, and one target-only direction of its own.
at::Tensor with_second_layer(const at::Tensor& rows, uint64_t seed) {
  Random random(seed, stream_of("second layer"));
  const at::Tensor turn = PlantedWorld::make(std::vector<PlantedFeature>(kPlantedWidth), kPlantedWidth, 77).directions;
  at::Tensor second = rows.matmul(std::get<0>(at::linalg_qr(turn))) * 10.0;
  for (int64_t row = 0; row < rows.size(0); ++row) {
    if (random.uniform() < 0.02) second[row][1] += turn[0] * (10.0 + 10.0 * random.uniform());
  }
  return at::cat({rows.narrow(1, 0, 1), second.narrow(1, 0, 1), rows.narrow(1, 1, 1), second.narrow(1, 1, 1)}, 1);
}

TEST(Planted, OneDictionaryReadsTwoLayersOfEachModel) {
  const PlantedWorld world = mixed_world(7);
  const MemoryRows rows(with_second_layer(world.rows(kPlantedRows, kPlantedNoise, 14), 1));
  const MemoryRows held_out(with_second_layer(world.rows(kPlantedRows, kPlantedNoise, 15), 2));
  const RowStatistics statistics = statistics_of(rows);
  TrainingConfig config = planted_config(world, 7);
  config.num_steps = 2000;
  const Crosscoder crosscoder =
      train_crosscoder(config, rows, {.mean = statistics.mean(), .scale = statistics.scale()}, {}, silent_progress());
  const LayersSideBySide sides(crosscoder, held_out);
  const FeatureTable table =
      find_features(sides.crosscoder(), sides.rows(), unlabelled(kPlantedRows), {.min_firings = 50}, silent_progress());
  int64_t num_both = 0, num_second = 0;
  for (const Feature& feature : table.features) {
    if (!is_exclusive(feature.kind)) continue;
    const int64_t model = feature.kind == "added" ? 1 : 0;
    const at::Tensor vector = sides.crosscoder().decoder[model][feature.latent].narrow(0, 0, kPlantedWidth);
    const at::Tensor cosines = world.directions.matmul(vector) / vector.norm();
    const int64_t nearest = cosines.argmax().item<int64_t>();
    const double first_layer = norm_shares_by_layer(sides, feature.latent)[model][0].item<double>();
    if (first_layer < 0.1) {
      ++num_second;
      EXPECT_EQ(feature.kind, "added");
    } else {
      num_both += cosines[nearest].item<double>() > 0.9;
      EXPECT_EQ(true_kind(world.features[static_cast<size_t>(nearest)]), feature.kind) << feature.latent;
    }
  }
  EXPECT_EQ(num_second, 1);
  EXPECT_GE(num_both, 16);  // the frequent ones at least; half as many steps as elsewhere leave some of the rare ones
}

// The target holds the same features in another space, half as wide again.
constexpr int64_t kOtherWidth = kPlantedWidth + kPlantedWidth / 2;

at::Tensor other_space() {
  Random random(9, stream_of("another space"));
  const at::Tensor turn = at::empty({kPlantedWidth, kOtherWidth}, at::kFloat);
  for (int64_t i = 0; i < turn.numel(); ++i) turn.data_ptr<float>()[i] = static_cast<float>(random.normal());
  return turn / std::sqrt(static_cast<double>(kOtherWidth));
}

struct OtherSpaces {
  PlantedWorld world;
  FeatureTable table;
  Crosscoder crosscoder;
};

OtherSpaces study_other_spaces(uint64_t seed) {
  OtherSpaces study{.world = mixed_world(seed)};
  const auto rows_of = [&](uint64_t rows_seed) {
    const at::Tensor rows = study.world.rows(kPlantedRows, kPlantedNoise, rows_seed);
    return MemoryRows(pair_rows(rows.select(1, 0), rows.select(1, 1).matmul(other_space())));
  };
  const MemoryRows rows = rows_of(2 * seed), held_out = rows_of(2 * seed + 1);
  const RowStatistics statistics = statistics_of(rows);
  const RowScaling scaling{.mean = statistics.mean(), .scale = statistics.scale(), .widths = {kPlantedWidth, kOtherWidth}};
  study.crosscoder = train_crosscoder(planted_config(study.world, seed), rows, scaling, {}, silent_progress());
  const LayersSideBySide sides(study.crosscoder, held_out, /*has_one_space=*/false);
  study.table = find_features(sides.crosscoder(), sides.rows(), unlabelled(kPlantedRows),
                              {.min_firings = 50, .has_one_space = false}, silent_progress());
  return study;
}

TEST(Planted, ExclusiveFeaturesOfModelsOfOtherWidthsAreFound) {
  const OtherSpaces study = study_other_spaces(11);
  const at::Tensor turned = study.world.directions.matmul(other_space());
  const at::Tensor directions[2] = {study.world.directions, turned / turned.norm(2, {1}, true)};
  std::set<int64_t> found;
  int64_t num_called = 0, num_right = 0;
  for (const Feature& feature : study.table.features) {
    if (!is_exclusive(feature.kind)) continue;
    ++num_called;
    const int64_t model = feature.kind == "added" ? 1 : 0;
    const at::Tensor vector = study.crosscoder.decoder[model][feature.latent].narrow(0, 0, directions[model].size(1));
    const int64_t nearest = directions[model].matmul(vector).argmax().item<int64_t>();
    if (true_kind(study.world.features[static_cast<size_t>(nearest)]) != feature.kind) continue;
    ++num_right;
    found.insert(nearest);
  }
  EXPECT_EQ(found.size(), 24U);
  EXPECT_GE(static_cast<double>(num_right), 0.95 * static_cast<double>(num_called));
}

PlantedWorld shared_world(uint64_t seed) {
  return PlantedWorld::make(std::vector<PlantedFeature>(100, {.rate = 0.02}), kPlantedWidth, seed);
}

TEST(Planted, IdenticalModelsHaveNothingExclusiveOrModified) {
  const PlantedWorld world = shared_world(4);
  at::Tensor rows = world.rows(kPlantedRows, kPlantedNoise, 5), held_out = world.rows(kPlantedRows, kPlantedNoise, 6);
  for (at::Tensor& tensor : std::vector<at::Tensor>{rows, held_out}) tensor.select(1, 1).copy_(tensor.select(1, 0));
  for (const bool same_init : {true, false}) {
    TrainingConfig config = planted_config(world, 1);
    config.same_init = same_init;
    const PlantedStudy study = study_rows(world, rows, held_out, config);
    for (const Feature& feature : study.table.features) EXPECT_FALSE(is_changed(feature.kind)) << describe(study, feature);
  }
}

// As Q8_0 rounds: blocks of 32, each to 127 steps of its largest value.
at::Tensor rounded_to_8_bits(const at::Tensor& rows) {
  const at::Tensor blocks = rows.reshape({-1, 32});
  const at::Tensor step = blocks.abs().amax({1}, true).clamp_min(1e-20) / 127.0;
  return ((blocks / step).round() * step).view_as(rows);
}

TEST(Planted, RequantisedModelsDifferInAtMostOneLatentOfAHundred) {
  const PlantedWorld world = shared_world(4);
  at::Tensor rows = world.rows(kPlantedRows, kPlantedNoise, 5), held_out = world.rows(kPlantedRows, kPlantedNoise, 6);
  for (at::Tensor& tensor : std::vector<at::Tensor>{rows, held_out})
    tensor.select(1, 1).copy_(rounded_to_8_bits(tensor.select(1, 0).contiguous()));
  const PlantedStudy study = study_rows(world, rows, held_out, planted_config(world, 1));
  const auto& latents = study.table.features;
  const auto differing = std::count_if(latents.begin(), latents.end(), [](const Feature& f) { return is_changed(f.kind); });
  EXPECT_LE(differing, static_cast<std::ptrdiff_t>(latents.size() / 100)) << describe_latents(study);
}

// What an L1 penalty is known to do (Minder, Dumas et al. 2504.02922): it takes a feature that one model uses less from that
// model altogether (complete shrinkage), and writes a feature that the models hold partly on other rows with latents of one model
// each (latent decoupling). By decoder norms such latents are exclusive; in truth nothing here is.
TEST(Planted, FalseExclusivesOfAnL1CrosscoderAreNotReported) {
  std::vector<PlantedFeature> features(60, {.rate = 0.02});
  features.insert(features.end(), 10, {.rate = 0.02, .target_weight = 0.25});
  features.insert(features.end(), 10, {.rate = 0.02, .half_apart = true});
  const PlantedWorld world = PlantedWorld::make(std::move(features), kPlantedWidth, 8);
  TrainingConfig config = planted_config(world, 8);
  config.l1_weight = 4.0;
  config.weight_decay = 0.0;
  const PlantedStudy study = study_world(world, config, 8);
  int64_t num_false = 0;
  for (const Feature& feature : study.table.features) {
    num_false += feature.num_firings > 0 && norms_call_exclusive(feature);
    EXPECT_FALSE(is_exclusive(feature.kind)) << describe(study, feature);
  }
  EXPECT_GE(num_false, 5) << describe_latents(study);
}

}  // namespace
}  // namespace fi
