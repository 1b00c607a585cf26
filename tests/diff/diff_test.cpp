#include <gtest/gtest.h>

#include "fi/core/error.h"
#include "fi/diff/difference_directions.h"
#include "fi/diff/layer_map.h"
#include "fi/diff/layer_patching.h"
#include "fi/diff/transplant_scan.h"
#include "tests/tiny_models.h"

namespace fi {
namespace {

const auto kNothingSpecial = [](int32_t) { return false; };

at::Tensor unit(int64_t size, int64_t index) { return at::zeros({size}).index_fill_(0, at::tensor({index}, at::kLong), 1.0); }

/// A tiny model and a copy whose middle block also writes along one direction.
struct Planted {
  Decoder base = load_tiny();
  at::Tensor direction = unit(base.config().d_model, 3);
  Decoder target = with_written_direction(base, 1, direction, 2.0);
  std::vector<TracedText> texts = random_texts(12, base.config().vocab_size, 5);
};

TEST(LayerMap, IsExactlyZeroBeforeThePlantedLayerAndForAModelAgainstItself) {
  const Planted planted;
  const LayerMap map =
      compare_layers(planted.base, planted.target, planted.base, planted.texts, kNothingSpecial, silent_progress());
  EXPECT_EQ(map.layers[0].relative_difference, 0.0);
  EXPECT_EQ(map.layers[0].cosine, 1.0);
  EXPECT_GT(map.layers[1].relative_difference, 0.01);
  EXPECT_LT(map.layers[1].cosine, 1.0);
  const LayerMap self =
      compare_layers(planted.base, planted.base, planted.base, planted.texts, kNothingSpecial, silent_progress());
  for (const LayerDifference& layer : self.layers) EXPECT_EQ(layer.relative_difference, 0.0);
  for (const CategoryKl& category : self.categories) EXPECT_EQ(category.token_kl, 0.0);
}

TEST(LayerMap, AgreesWithSumsOverPairedRows) {
  const Planted planted;
  const LayerMap map =
      compare_layers(planted.base, planted.target, planted.base, planted.texts, kNothingSpecial, silent_progress());
  const auto rows = capture_rows(planted.base, planted.target, planted.texts, {1}, kNothingSpecial, silent_progress());
  const at::Tensor b = rows[0].base.to(at::kDouble), t = rows[0].target.to(at::kDouble);
  const LayerDifference& layer = map.layers[1];
  EXPECT_NEAR(layer.relative_difference, ((t - b).norm() / b.norm()).item<double>(), 1e-6);
  const at::Tensor bc = b - b.mean(0), tc = t - t.mean(0);
  EXPECT_NEAR(layer.cosine, ((bc * tc).sum() / (bc.norm() * tc.norm())).item<double>(), 1e-6);
  EXPECT_LT((layer.mean_difference - (t - b).mean(0)).abs().max().item<double>(), 1e-5);
}

TEST(LayerPatching, RecoversEverythingAtThePlantedLayerAndNothingElsewhere) {
  const Planted planted;
  const LayerPatching patching = patch_layers(planted.base, planted.target, planted.texts, silent_progress());
  EXPECT_GT(patching.kl, 0.01);
  EXPECT_NEAR(patching.recovered[0], 0.0, 1e-6);
  EXPECT_NEAR(patching.recovered[1], 1.0, 1e-6);
  EXPECT_NEAR(patching.recovered[2], 0.0, 1e-6);
}

TEST(LayerPatching, KlEqualsTheNaiveSumOverTheVocabulary) {
  const Planted planted;
  const std::vector<TracedText> one = {planted.texts.front()};
  const auto log_probabilities = [&](const Decoder& model) {
    return model.forward(pack({&one[0].ids, 1})).logits.log_softmax(-1).to(at::kDouble);
  };
  const at::Tensor p = log_probabilities(planted.target), q = log_probabilities(planted.base);
  double sum = 0.0;
  const int64_t first = one[0].answer_start - 1, end = static_cast<int64_t>(one[0].ids.size()) - 1;
  for (int64_t row = first; row < end; ++row) sum += (p[row].exp() * (p[row] - q[row])).sum().item<double>();
  EXPECT_NEAR(patch_layers(planted.base, planted.target, one, silent_progress()).kl, sum / static_cast<double>(end - first),
              1e-5);
}

TEST(TransplantScan, FindsThePlantedBlock) {
  const Planted planted;
  const TransplantScan scan = scan_transplants(planted.base, planted.target, planted.texts, silent_progress());
  for (const TransplantEffect& effect : scan.tried) {
    const bool holds_it = effect.first <= 1 && effect.last > 1;
    EXPECT_NEAR(effect.share,
                effect.share_by_text.empty() ? 0.0
                : holds_it                   ? 1.0
                                             : 0.0,
                1e-4)
        << effect.first << " to " << effect.last;
  }
}

TEST(DifferenceDirections, FindAPlantedDirectionWithItsSignAndShare) {
  const Planted planted;
  const auto rows = capture_rows(planted.base, planted.target, planted.texts, {0, 1}, kNothingSpecial, silent_progress());
  EXPECT_TRUE(difference_directions(rows[0], 4).empty());
  const auto directions = difference_directions(rows[1], 4);
  ASSERT_EQ(directions.size(), 4u);
  EXPECT_NEAR(directions[0].share_of_difference, 1.0, 1e-5);
  EXPECT_NEAR(std::abs(directions[0].direction.dot(planted.direction).item<double>()), 1.0, 1e-4);
  const at::Tensor movement = movement_along(rows[1], directions[0].direction);
  EXPECT_GT(movement.pow(3).sum().item<double>(), 0.0);
}

TEST(DifferenceDirections, AgreeWithASingularValueDecomposition) {
  PairedRows rows{.base = at::zeros({40, 6})};
  Random random(9);
  rows.target = at::empty({40, 6});
  for (int64_t i = 0; i < 240; ++i)
    rows.target.mutable_data_ptr<float>()[i] = static_cast<float>(random.normal() * (1.0 + i % 6));
  const auto [u, s, vh] = at::linalg_svd(rows.target.to(at::kDouble), false);
  const auto directions = difference_directions(rows, 6);
  const double total = s.square().sum().item<double>();
  for (int64_t i = 0; i < 6; ++i) {
    const DifferenceDirection& direction = directions[static_cast<size_t>(i)];
    EXPECT_NEAR(direction.share_of_difference, s[i].square().item<double>() / total, 1e-5);
    EXPECT_NEAR(std::abs(direction.direction.to(at::kDouble).dot(vh[i]).item<double>()), 1.0, 1e-3);
  }
}

TEST(DifferenceDirections, TheDifferenceInMeansIsOneOfThem) {
  PairedRows rows{.layer = 3, .base = at::ones({3, 2}), .target = at::ones({3, 2})};
  EXPECT_FALSE(mean_difference_direction(rows).has_value());
  rows.target = rows.base + at::tensor({3.0, 4.0, 3.0, 4.0, -3.0, 4.0}).view({3, 2}).to(at::kFloat);
  const auto mean = mean_difference_direction(rows);  // (1, 4) / sqrt(17)
  ASSERT_TRUE(mean.has_value());
  EXPECT_EQ(mean->layer, 3);
  EXPECT_EQ(mean->label, "mean");
  EXPECT_NEAR(mean->direction[0].item<double>(), 1.0 / std::sqrt(17.0), 1e-6);
  EXPECT_NEAR(mean->share_of_difference, (19.0 * 19.0 * 2 + 13.0 * 13.0) / 17.0 / 75.0, 1e-6);
  rows.target = rows.base + at::tensor({1.0, 0.0, -1.0, 0.0, 0.0, 0.0}).view({3, 2}).to(at::kFloat);
  EXPECT_FALSE(mean_difference_direction(rows).has_value());  // rows move, their mean does not
}

TEST(DifferenceDirections, UseIsTheMeanAbsoluteDeviationOfChosenRows) {
  PairedRows rows{.base = at::tensor({0.0, 0.0, 2.0, 0.0}).view({2, 2}).to(at::kFloat),
                  .target = at::tensor({1.0, 5.0, 4.0, 5.0}).view({2, 2}).to(at::kFloat)};
  const at::Tensor direction = at::tensor({1.0, 0.0}).to(at::kFloat);
  const DirectionUse all = use_of_direction(places_along(rows, direction), at::ones({2}, at::kBool));
  EXPECT_NEAR(all.base, 1.0, 1e-6);    // |0 - 1|, |2 - 1|
  EXPECT_NEAR(all.target, 1.5, 1e-6);  // |1 - 1|, |4 - 1|
  EXPECT_NEAR(use_of_direction(places_along(rows, direction), at::tensor({0, 1}, at::kLong).eq(1)).target, 3.0, 1e-6);
}

}  // namespace
}  // namespace fi
