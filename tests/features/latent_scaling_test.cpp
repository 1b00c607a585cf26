#include <gtest/gtest.h>

#include <cmath>

#include "fi/core/error.h"
#include "fi/core/random.h"
#include "fi/features/classify.h"
#include "fi/features/find_features.h"
#include "fi/features/own_strengths.h"
#include "planted_world.h"

namespace fi {
namespace {

Crosscoder random_crosscoder(uint64_t seed) {
  Random random(seed);
  const auto normal = [&](at::IntArrayRef shape) {
    const at::Tensor values = at::empty(shape, at::kFloat);
    for (int64_t i = 0; i < values.numel(); ++i) values.data_ptr<float>()[i] = static_cast<float>(random.normal());
    return values;
  };
  Crosscoder c;
  c.encoder = normal({2, 5, 7}) * 0.5;
  c.encoder_bias = normal({7}) * 0.1;
  c.decoder = normal({2, 7, 5});
  c.decoder_bias = normal({2, 5}) * 0.1;
  c.scaling = {.mean = normal({2, 5}), .scale = at::tensor({0.5F, 1.5F})};
  c.k = 2;
  c.threshold = 1.0;
  return c;
}

// argmin over b of sum |b f d - y|^2, by its definition.
double best_scale(const at::Tensor& f, const at::Tensor& d, const at::Tensor& y) {
  return (f.unsqueeze(1) * y).sum(0).dot(d).item<double>() / (f.square().sum() * d.square().sum()).item<double>();
}

TEST(LatentScaling, IsTheLeastSquaresRatio) {
  const Crosscoder c = random_crosscoder(2);
  Random random(3);
  const at::Tensor rows = at::empty({1500, 2, 5}, at::kFloat);
  for (int64_t i = 0; i < rows.numel(); ++i) rows.data_ptr<float>()[i] = static_cast<float>(random.normal());
  const FeatureTable table = find_features(c, MemoryRows(rows), unlabelled(1500), {.min_firings = 1}, silent_progress());
  const at::Tensor codes = encode(c, rows), x = normalise(c.scaling, rows), rebuilt = normalise(c.scaling, decode(c, codes));
  int compared = 0;  // rows were scaled by 0.5 and 1.5: a factor of 3 between the models' own units
  for (const Feature& feature : table.features) {
    const at::Tensor f = codes.select(1, feature.latent);
    EXPECT_EQ(feature.num_firings, f.gt(0).sum().item<int64_t>());
    const auto error_scale = [&](int64_t probe, int64_t model) {
      const at::Tensor own = f.unsqueeze(1) * c.decoder[model][feature.latent];
      return best_scale(f, c.decoder[probe][feature.latent], x.select(1, model) - rebuilt.select(1, model) + own);
    };
    const auto rebuilt_scale = [&](int64_t probe, int64_t model) {
      return best_scale(f, c.decoder[probe][feature.latent], rebuilt.select(1, model));
    };
    if (feature.nu_error_base.value != 0.0) {
      EXPECT_NEAR(feature.nu_error_base.value, 3.0 * error_scale(1, 0) / error_scale(1, 1), 1e-3);
      ++compared;
    }
    if (feature.nu_error_target.value != 0.0) {
      EXPECT_NEAR(feature.nu_error_target.value, error_scale(0, 1) / error_scale(0, 0) / 3.0, 1e-3);
      ++compared;
    }
    if (feature.nu_reconstruction_base != 0.0) {
      EXPECT_NEAR(feature.nu_reconstruction_base, 3.0 * rebuilt_scale(1, 0) / rebuilt_scale(1, 1), 1e-3);
      const at::Tensor others = rebuilt.select(1, 0) - f.unsqueeze(1) * c.decoder[0][feature.latent];
      EXPECT_NEAR(feature.nu_others_base, 3.0 * best_scale(f, c.decoder[1][feature.latent], others) / rebuilt_scale(1, 1), 1e-3);
    }
  }
  EXPECT_GE(compared, 4);
}

TEST(LatentScaling, DoesNotDependOnHowRowsAreCut) {
  // More rows than a block, texts that cross its end.
  const PlantedWorld world = PlantedWorld::make(std::vector<PlantedFeature>(7), 5, 1);
  const at::Tensor rows = world.rows(1300, 0.5, 2);
  RowLabels labels = unlabelled(1300);
  for (size_t i = 0; i < 1300; ++i) {
    labels.texts[i] = static_cast<int32_t>(i / 100);
    labels.categories[i] = static_cast<int32_t>(i / 650);
  }
  labels.category_names = {"a", "b"};
  const Crosscoder c = random_crosscoder(4);
  const FeatureTable table = find_features(c, MemoryRows(rows), labels, {}, silent_progress());
  EXPECT_EQ(table.rows_by_category, (std::vector<int64_t>{650, 650}));
  const at::Tensor fired = encode(c, rows).gt(0);
  for (const Feature& feature : table.features) {
    const at::Tensor column = fired.select(1, feature.latent);
    EXPECT_EQ(feature.firings_by_category[0], column.narrow(0, 0, 650).sum().item<int64_t>());
    EXPECT_EQ(feature.firings_by_category[1], column.narrow(0, 650, 650).sum().item<int64_t>());
    EXPECT_EQ(feature.num_texts, column.view({13, 100}).any(1).sum().item<int64_t>());
  }
}

TEST(RatioInterval, CoversTheTruthAboutAsOftenAsItSays) {
  Random random(5);
  constexpr int kTrials = 1000;
  int covered = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    RatioSums sums;
    for (int text = 0; text < 60; ++text) {
      const double denominator = 2.0 + random.uniform();
      sums.add_text(0.5 * denominator + 0.4 * random.normal(), denominator);
    }
    const Ratio ratio = ratio_of(sums, 60);
    covered += ratio.low <= 0.5 && 0.5 <= ratio.high;
  }
  EXPECT_NEAR(covered / static_cast<double>(kTrials), 0.945, 0.025);
}

TEST(RatioInterval, NothingIsSaidWhereTheDenominatorIsNoise) {
  RatioSums sums;
  for (int text = 0; text < 50; ++text) sums.add_text(1.0, text % 2 == 0 ? 3.0 : -2.9);
  EXPECT_EQ(ratio_of(sums, 50).value, 0.0);
  EXPECT_EQ(ratio_of({}, 0).value, 0.0);
}

// Sums of 300 firings in 300 texts whose model m holds `strength[m]` of the same direction.
ScalingSums sums_of(double base, double target, double base_rebuilt, double target_rebuilt) {
  ScalingSums sums{.num_firings = 300, .num_texts = 300, .squares = 300.0, .codes = 300.0};
  Random random(6);
  for (int text = 0; text < 300; ++text) {
    const double b = base + 0.1 * random.normal(), t = target + 0.1 * random.normal();
    sums.error_ratio[0].add_text(t, b);
    sums.error_ratio[1].add_text(b, t);
  }
  sums.reconstruction = {{{base_rebuilt, target_rebuilt}, {base_rebuilt, target_rebuilt}}};
  sums.error = {{{base, target}, {base, target}}};
  sums.products = {1.0, 0.0, 1.0};
  return sums;
}

std::string kind_of(const ScalingSums& sums, const FeatureOptions& options = {}) {
  Feature feature;
  classify(sums, {1.0, 1.0}, options, feature);
  return feature.kind;
}

TEST(Classify, FollowsLatentScaling) {
  EXPECT_EQ(kind_of(sums_of(1, 1, 1, 1)), "shared");
  EXPECT_EQ(kind_of(sums_of(0, 1, 0, 1)), "added");
  EXPECT_EQ(kind_of(sums_of(1, 0, 1, 0)), "removed");
  EXPECT_EQ(kind_of(sums_of(1, 2, 1, 2)), "modified");
  EXPECT_EQ(kind_of(sums_of(2, 1, 2, 1)), "modified");
  EXPECT_EQ(kind_of(sums_of(1, 1.15, 1, 1.15)), "shared");
  EXPECT_EQ(kind_of(sums_of(0, 1, 0.9, 1)), "modified");  // other latents of the base write the same direction
}

// Each model holds `own` of its own vector and `other` of the other's.
ScalingSums crossed_sums(double base_own, double base_other, double target_own, double target_other) {
  ScalingSums sums = sums_of(base_own, target_own, base_own, target_own);
  sums.error_ratio = {};
  for (int text = 0; text < 300; ++text) {
    sums.error_ratio[0].add_text(target_other, base_own);
    sums.error_ratio[1].add_text(base_other, target_own);
  }
  return sums;
}

TEST(Classify, ModifiedIsAnotherStrengthOrAnotherDirectionByBothVectors) {
  EXPECT_EQ(kind_of(crossed_sums(1.0, 0.75, 1.0, 1.17)), "shared");  // a bit of another feature in the target's vector alone
  EXPECT_EQ(kind_of(crossed_sums(1.0, 0.7, 1.0, 0.7)), "modified");  // turned by 46 degrees, as strong
  EXPECT_EQ(kind_of(crossed_sums(1.0, 1.0, 2.0, 1.0)), "modified");  // turned by 45 degrees, stronger in the target
  EXPECT_EQ(kind_of(crossed_sums(1.0, 0.95, 1.0, 0.95)), "shared");
}

TEST(Classify, NeedsEnoughFirings) {
  ScalingSums sums = sums_of(0, 1, 0, 1);
  sums.num_firings = 199;
  EXPECT_EQ(kind_of(sums), "undecided");
  sums.num_firings = 300;
  sums.num_texts = 4;
  EXPECT_EQ(kind_of(sums), "undecided");
  EXPECT_EQ(kind_of(ScalingSums{}), "dead");
  EXPECT_EQ(kind_of(sums_of(0, 0, 0, 0)), "undecided");
}

TEST(Twins, ARemovedAndAnAddedLatentOfOneDirectionAreOneModified) {
  Crosscoder c = random_crosscoder(7);
  c.decoder[1][2].copy_(c.decoder[0][5] * 3.0);
  std::vector<Feature> features(7);
  for (int64_t j = 0; j < 7; ++j) features[static_cast<size_t>(j)] = {.latent = j, .kind = "shared"};
  features[2].kind = "added";
  features[5].kind = "removed";
  join_twins(c, {}, features);
  EXPECT_EQ(features[2].kind, "modified");
  EXPECT_EQ(features[5].kind, "modified");
  EXPECT_EQ(features[2].twin, 5);
  EXPECT_EQ(features[5].twin, 2);
  EXPECT_NEAR(features[2].twin_cosine, 1.0, 1e-5);
}

TEST(Twins, AnAddedLatentWhoseDirectionTheBaseUsesElsewhereIsModified) {
  for (const bool base_uses_it : {true, false}) {
    Crosscoder c = random_crosscoder(7);
    c.decoder[1][2].copy_(c.decoder[0][5] * 3.0);
    std::vector<Feature> features(7);
    for (int64_t j = 0; j < 7; ++j) features[static_cast<size_t>(j)] = {.latent = j, .kind = "shared"};
    features[2].kind = "added";
    features[5].nu_error_base = {1.0, base_uses_it ? 0.9 : -0.2, 1.1};
    join_twins(c, {}, features);
    EXPECT_EQ(features[2].kind, base_uses_it ? "modified" : "added");
    EXPECT_EQ(features[2].twin, base_uses_it ? 5 : -1);
    EXPECT_EQ(features[5].kind, "shared");
  }
}

// Two exclusive latents that fire together are one feature which the dictionary split.
TEST(Twins, LatentsOfOneModelEachThatFireTogetherAreModified) {
  Crosscoder c = random_crosscoder(6);
  c.threshold = -1.0;
  c.encoder.select(2, 3).copy_(c.encoder.select(2, 1));
  c.encoder_bias[3] = c.encoder_bias[1];
  Random random(4, stream_of("rows that fire together"));
  const MemoryRows rows(normal_tensor({400, 2, 5}, random));
  std::vector<Feature> features(6);
  for (int64_t j = 0; j < 6; ++j) features[static_cast<size_t>(j)] = {.latent = j, .kind = "shared"};
  features[1].kind = "added";
  features[3].kind = "removed";
  features[4].kind = "undecided";
  for (const bool they_fire : {true, false}) {
    std::vector<Feature> joined = features;
    join_twins_by_codes(c, rows, {.twin_code_cosine = they_fire ? 0.95 : 1.1}, joined, silent_progress());
    EXPECT_EQ(joined[1].kind, they_fire ? "modified" : "added");
    EXPECT_EQ(joined[3].kind, they_fire ? "modified" : "removed");
    EXPECT_EQ(joined[1].twin, they_fire ? 3 : -1);
    EXPECT_EQ(joined[3].twin, they_fire ? 1 : -1);
  }
}

TEST(FindFeatures, RefusesWhatItCannotClass) {
  Crosscoder c = random_crosscoder(8);
  EXPECT_THROW(find_features(c, MemoryRows(at::zeros({3, 2, 4})), unlabelled(3), {}, silent_progress()), Error);
  c.view = RowView::kDifference;
  EXPECT_THROW(find_features(c, MemoryRows(at::zeros({3, 2, 5})), unlabelled(3), {}, silent_progress()), Error);
}

}  // namespace
}  // namespace fi
