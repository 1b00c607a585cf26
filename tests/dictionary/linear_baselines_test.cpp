#include "fi/dictionary/linear_baselines.h"

#include <gtest/gtest.h>

#include "fi/core/error.h"
#include "sample_crosscoder.h"

namespace fi {
namespace {

double squared_error(const at::Tensor& a, const at::Tensor& b) { return (a - b).square().sum(at::kDouble).item<double>(); }

// Rows in a plane of rank 2 around a mean, with little noise.
at::Tensor planar_rows() {
  Random random(3);
  const at::Tensor basis = normal_tensor({2, 12}, random);
  const at::Tensor weights = normal_tensor({200, 2}, random);
  return (weights.matmul(basis) + normal_tensor({200, 12}, random, 0.01) + 3.0).view({200, 2, 6});
}

TEST(LinearBaselines, FullRankPcaLosesNothing) {
  const at::Tensor rows = sample_rows(40);
  const Crosscoder pca = fit_pca(moments_of(rows), identity_scaling(2, 6), RowView::kModels, 12);
  EXPECT_LT(squared_error(decode(pca, encode(pca, rows)), rows), 1e-6);
}

TEST(LinearBaselines, PcaFindsThePlane) {
  const at::Tensor rows = planar_rows();
  const Crosscoder pca = fit_pca(moments_of(rows), identity_scaling(2, 6), RowView::kModels, 2);
  const double total = squared_error(rows, rows.mean(at::IntArrayRef{0}, true));
  EXPECT_LT(squared_error(decode(pca, encode(pca, rows)), rows) / total, 1e-3);
  const at::Tensor latents = pca.decoder.permute({1, 0, 2}).flatten(1);
  EXPECT_TRUE(at::allclose(latents.matmul(latents.t()), at::eye(2), 0, 1e-5));
}

TEST(LinearBaselines, PcaWorksInTheScaledSpace) {
  const at::Tensor rows = planar_rows();
  RowScaling scaling = identity_scaling(2, 6);
  scaling.scale = at::tensor({0.1F, 4.0F});
  const Crosscoder pca = fit_pca(moments_of(normalise(scaling, rows)), scaling, RowView::kModels, 12);
  EXPECT_TRUE(at::allclose(decode(pca, encode(pca, rows)), rows, 1e-4, 1e-4));
}

TEST(LinearBaselines, RankIsChecked) {
  EXPECT_THROW(fit_pca(moments_of(sample_rows()), identity_scaling(2, 6), RowView::kModels, 13), Error);
  EXPECT_THROW(fit_pca(moments_of(sample_rows()), identity_scaling(2, 6), RowView::kModels, 0), Error);
}

TEST(LinearBaselines, DifferenceInMeansExplainsAConstantShift) {
  at::Tensor rows = sample_rows(30);
  const at::Tensor shift = at::tensor({1.0F, -2.0F, 0.5F, 0.0F, 3.0F, 1.0F});
  rows.select(1, 1).copy_(rows.select(1, 0) + shift);
  const Crosscoder shifted = fit_difference_in_means(rows);
  const at::Tensor difference = view_rows(RowView::kDifference, rows);
  EXPECT_TRUE(at::allclose(decode(shifted, encode(shifted, difference)), difference, 1e-4, 1e-4));
  EXPECT_EQ(shifted.num_latents(), 1);
}

TEST(LinearBaselines, NoDifferenceGivesNoDirection) {
  at::Tensor rows = sample_rows();
  rows.select(1, 1).copy_(rows.select(1, 0));
  EXPECT_EQ(fit_difference_in_means(rows).decoder.abs().max().item<double>(), 0.0);
}

TEST(LinearBaselines, RandomDirectionsKeepKCodesARowAtTheirBestScale) {
  const at::Tensor rows = sample_rows(64) + 2.0;
  const RowScaling scaling{.mean = rows.mean(at::IntArrayRef{0}), .scale = at::tensor({1.0F, 3.0F})};
  const Crosscoder random = fit_random(rows, scaling, 40, 5, 1);
  check_crosscoder(random, "test");
  EXPECT_NEAR(encode(random, rows).ne(0).sum().item<double>() / 64.0, 5.0, 0.1);
  const auto error = [&](double factor) {
    Crosscoder scaled = random;
    scaled.decoder = random.decoder * factor;
    return squared_error(normalise(scaling, decode(scaled, encode(random, rows))), normalise(scaling, rows));
  };
  EXPECT_LT(error(1.0), error(0.98));
  EXPECT_LT(error(1.0), error(1.02));
  EXPECT_TRUE(fit_random(rows, scaling, 40, 5, 1).decoder.equal(random.decoder));
  EXPECT_FALSE(fit_random(rows, scaling, 40, 5, 2).decoder.equal(random.decoder));
  EXPECT_THROW(fit_random(rows, scaling, 4, 5, 1), Error);
}

}  // namespace
}  // namespace fi
