#include "fi/compare/latent_use.h"

#include <gtest/gtest.h>

#include <cmath>

#include "fi/activations/row_statistics.h"
#include "fi/compare/latents.h"
#include "tests/dictionary/sample_crosscoder.h"

namespace fi {
namespace {

using Numbers = std::vector<double>;

Numbers numbers(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.to(at::kDouble).contiguous().flatten();
  return {flat.const_data_ptr<double>(), flat.const_data_ptr<double>() + flat.numel()};
}

double dot(const Numbers& a, const Numbers& b) {
  double sum = 0.0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

class LatentUseTest : public testing::Test {
 protected:
  LatentUseTest() {
    crosscoder_ = sample_crosscoder(false);
    crosscoder_.threshold = 0.4;
    rows_ = sample_rows(40);
    for (int64_t i = 0; i < 40; ++i) categories_.push_back(static_cast<int32_t>(i % 3));
  }

  // The vector of a latent in a model, in that model's own units.
  Numbers vector_of(int64_t model, int64_t latent) const {
    return numbers(crosscoder_.decoder[model][latent] / crosscoder_.scaling.scale[model]);
  }

  Crosscoder crosscoder_;
  at::Tensor rows_;
  std::vector<int32_t> categories_;
};

TEST_F(LatentUseTest, CodesOfSomeLatentsAreThoseOfAll) {
  const std::vector<int64_t> latents = {4, 1};
  const at::Tensor all = scaled_codes(crosscoder_, encode(crosscoder_, rows_));
  EXPECT_GT(all.ne(0).sum().item<int64_t>(), 0);
  const at::Tensor some = codes_of(crosscoder_, MemoryRows(rows_), latents);
  EXPECT_TRUE(at::allclose(some, all.index_select(1, at::tensor(latents, at::kLong)), 1e-5, 1e-6));
}

TEST_F(LatentUseTest, IsItsDefinitionRowByRow) {
  const std::vector<int64_t> latents = {0, 3, 5};
  const LatentUse use = use_of_latents(crosscoder_, MemoryRows(rows_), categories_, 3, latents);
  const at::Tensor reach = reach_of_latents(crosscoder_, MemoryRows(rows_), latents);
  EXPECT_EQ(use.rows_by_category, (Numbers{14, 13, 13}));
  const at::Tensor codes = encode(crosscoder_, rows_), errors = rows_ - decode(crosscoder_, codes);
  for (size_t i = 0; i < latents.size(); ++i) {
    const int64_t latent = latents[i];
    const bool is_target = dot(vector_of(1, latent), vector_of(1, latent)) >= dot(vector_of(0, latent), vector_of(0, latent));
    Numbers direction = vector_of(is_target ? 1 : 0, latent);
    const double norm = std::sqrt(dot(direction, direction));
    for (double& value : direction) value /= norm;
    EXPECT_TRUE(at::allclose(unit_vector(crosscoder_, stronger_model(crosscoder_, latent), latent).to(at::kDouble),
                             at::tensor(direction, at::kDouble), 1e-5, 1e-6));
    std::array<std::array<double, 2>, 3> strength{};
    double gain = 0.0, total = 0.0;
    for (int64_t row = 0; row < 40; ++row) {
      const double code = codes[row][latent].item<double>();
      const auto category = static_cast<size_t>(categories_[static_cast<size_t>(row)]);
      for (int64_t m = 0; m < 2; ++m) {
        const double own =
            code > 0.0 ? dot(direction, numbers(errors[row][m])) + code * dot(direction, vector_of(m, latent)) : 0.0;
        EXPECT_NEAR(reach[row][static_cast<int64_t>(i)][m].item<double>(), own, 1e-4);
        strength[category][static_cast<size_t>(m)] += own;
      }
      const Numbers difference =
          numbers(rows_[row][1] - rows_[row][0] - crosscoder_.scaling.mean[1] + crosscoder_.scaling.mean[0]);
      Numbers left = difference;
      for (size_t d = 0; d < left.size(); ++d) left[d] -= code * (vector_of(1, latent)[d] - vector_of(0, latent)[d]);
      total += dot(difference, difference);
      gain += dot(difference, difference) - dot(left, left);
    }
    for (int64_t c = 0; c < 3; ++c) {
      for (int64_t m = 0; m < 2; ++m)
        EXPECT_NEAR(use.strength[static_cast<int64_t>(i)][c][m].item<double>(),
                    strength[static_cast<size_t>(c)][static_cast<size_t>(m)], 1e-3);
    }
    EXPECT_NEAR(use.share_of_difference[i], std::max(0.0, gain / total), 1e-4);
  }
}

TEST(LatentsToShow, AreTheChangedOnesFirstEachByUse) {
  FeatureTable table;
  const auto add = [&](const char* kind, int64_t firings) {
    table.features.push_back(
        {.latent = static_cast<int64_t>(table.features.size()), .kind = kind, .num_firings = firings, .mean_code = 1.0});
  };
  for (const auto& [kind, firings] : std::vector<std::pair<const char*, int64_t>>{
           {"shared", 900}, {"added", 60}, {"undecided", 5}, {"modified", 70}, {"shared", 1000}, {"dead", 0}, {"removed", 80}})
    add(kind, firings);
  EXPECT_EQ(latents_to_show(table, 9, 1), (std::vector<int64_t>{6, 3, 1, 4}));
  EXPECT_EQ(latents_to_show(table, 2, 9), (std::vector<int64_t>{6, 3, 4, 0}));
}

TEST(NormShareBins, CountTheLatentsThatFire) {
  FeatureTable table;
  for (const double share : {0.0, 0.52, 0.5, 1.0, 0.97}) table.features.push_back({.target_norm_share = share, .num_firings = 3});
  table.features.push_back({.target_norm_share = 0.5, .num_firings = 0});
  const std::vector<int64_t> bins = norm_share_bins(table);
  ASSERT_EQ(bins.size(), 20u);
  EXPECT_EQ(bins[0], 1);
  EXPECT_EQ(bins[10], 2);
  EXPECT_EQ(bins[19], 2);
}

TEST_F(LatentUseTest, WithoutACommonSpaceEachModelReachesAlongItsOwnVector) {
  const std::vector<int64_t> latents = {0, 3, 5};
  const MemoryRows rows(rows_);
  const at::Tensor reach = reach_of_latents(crosscoder_, rows, latents, /*has_one_space=*/false);
  const at::Tensor codes = encode(crosscoder_, rows_), errors = rows_ - decode(crosscoder_, codes);
  int64_t num_fired = 0;
  for (size_t i = 0; i < latents.size(); ++i) {
    const auto place = static_cast<int64_t>(i);
    for (int64_t row = 0; row < 40; ++row) {
      const double code = codes[row][latents[i]].item<double>();
      num_fired += code > 0.0;
      for (int64_t m = 0; m < 2; ++m) {
        const Numbers own = vector_of(m, latents[i]);
        const double along = dot(own, numbers(errors[row][m])) + code * dot(own, own);
        const double expected = code > 0.0 ? along / std::sqrt(dot(own, own)) : 0.0;
        EXPECT_NEAR(reach[row][place][m].item<double>(), expected, 1e-4);
      }
    }
  }
  EXPECT_GT(num_fired, 10);
  for (const double share : use_of_latents(crosscoder_, rows, categories_, 3, latents, false).share_of_difference)
    EXPECT_EQ(share, 0.0);
}

}  // namespace
}  // namespace fi
