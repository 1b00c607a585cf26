#include "fi/dictionary/crosscoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "fi/core/error.h"
#include "sample_crosscoder.h"

namespace fi {
namespace {

double at_index(const at::Tensor& tensor, std::initializer_list<int64_t> index) {
  at::Tensor value = tensor;
  for (const int64_t i : index) value = value[i];
  return value.item<double>();
}

double norm_of(const Crosscoder& c, int64_t model, int64_t latent) {
  double sum = 0.0;
  for (int64_t d = 0; d < c.d_model(); ++d) sum += std::pow(at_index(c.decoder, {model, latent, d}), 2);
  return std::sqrt(sum);
}

// The definition, number by number.
double naive_code(const Crosscoder& c, const at::Tensor& rows, int64_t row, int64_t latent) {
  double sum = at_index(c.encoder_bias, {latent});
  for (int64_t m = 0; m < c.num_models(); ++m) {
    for (int64_t d = 0; d < c.d_model(); ++d) {
      const double x = (at_index(rows, {row, m, d}) - at_index(c.scaling.mean, {m, d})) * at_index(c.scaling.scale, {m});
      sum += x * at_index(c.encoder, {m, d, latent});
    }
  }
  const double code = std::max(0.0, sum);
  return code * (norm_of(c, 0, latent) + norm_of(c, 1, latent)) > c.threshold ? code : 0.0;
}

TEST(Crosscoder, EncodesByTheDefinition) {
  const Crosscoder c = sample_crosscoder(false);
  const at::Tensor rows = sample_rows();
  const at::Tensor codes = encode(c, rows);
  int64_t kept = 0;
  for (int64_t row = 0; row < rows.size(0); ++row) {
    for (int64_t latent = 0; latent < c.num_latents(); ++latent) {
      const double expected = naive_code(c, rows, row, latent);
      EXPECT_NEAR(at_index(codes, {row, latent}), expected, 1e-5) << row << " " << latent;
      kept += expected > 0.0;
    }
  }
  EXPECT_GT(kept, 12);
  EXPECT_LT(kept, 108);
}

TEST(Crosscoder, DecodesByTheDefinition) {
  const Crosscoder c = sample_crosscoder(false);
  const at::Tensor codes = encode(c, sample_rows());
  const at::Tensor rows = decode(c, codes);
  for (int64_t row = 0; row < rows.size(0); ++row) {
    for (int64_t m = 0; m < 2; ++m) {
      for (int64_t d = 0; d < 6; ++d) {
        double expected = at_index(c.decoder_bias, {m, d});
        for (int64_t j = 0; j < 10; ++j) expected += at_index(codes, {row, j}) * at_index(c.decoder, {m, j, d});
        expected = expected / at_index(c.scaling.scale, {m}) + at_index(c.scaling.mean, {m, d});
        EXPECT_NEAR(at_index(rows, {row, m, d}), expected, 1e-5);
      }
    }
  }
}

TEST(Crosscoder, SparsityDecidesWhichCodesAreKept) {
  Crosscoder c = sample_crosscoder(true);
  const at::Tensor rows = sample_rows();
  c.sparsity = Sparsity::kLinear;
  const at::Tensor linear = encode(c, rows);
  EXPECT_GT(linear.lt(0).sum().item<int64_t>(), 0);
  c.sparsity = Sparsity::kRelu;
  EXPECT_TRUE(encode(c, rows).equal(linear.relu()));
  c.sparsity = Sparsity::kJumpRelu;
  c.jump_threshold = at::arange(10, at::kFloat) * 0.2;
  EXPECT_TRUE(encode(c, rows).equal(at::where(linear > c.jump_threshold, linear, at::zeros_like(linear)).relu()));
}

TEST(Crosscoder, NormsFollowTheirName) {
  Crosscoder c = sample_crosscoder(true);
  const double a = norm_of(c, 0, 4), b = norm_of(c, 1, 4), both = std::hypot(a, b);
  EXPECT_NEAR(at_index(code_norms(c), {4}), a + b, 1e-5);
  c.code_norm = CodeNorm::kSae;
  EXPECT_NEAR(at_index(code_norms(c), {4}), both, 1e-5);
  c.code_norm = CodeNorm::kMixed;
  EXPECT_NEAR(at_index(code_norms(c), {4}), both + 0.1 * (a + b), 1e-5);
  c.code_norm = CodeNorm::kNone;
  EXPECT_EQ(at_index(code_norms(c), {4}), 1.0);
}

TEST(Crosscoder, UnitCodeNormsAreTheSameFunction) {
  const Crosscoder c = sample_crosscoder(false), unit = with_unit_code_norms(c);
  const at::Tensor rows = sample_rows();
  EXPECT_TRUE(at::allclose(code_norms(unit), at::ones({10}), 0, 1e-6));
  EXPECT_TRUE(at::allclose(encode(unit, rows), scaled_codes(c, encode(c, rows)), 1e-5, 1e-5));
  EXPECT_TRUE(at::allclose(decode(unit, encode(unit, rows)), decode(c, encode(c, rows)), 1e-5, 1e-5));
}

TEST(Crosscoder, ScalingHasAnInverse) {
  const Crosscoder c = sample_crosscoder(false);
  const at::Tensor rows = sample_rows();
  EXPECT_TRUE(at::allclose(denormalise(c.scaling, normalise(c.scaling, rows)), rows, 1e-5, 1e-5));
  EXPECT_TRUE(normalise(identity_scaling(2, 6), rows).equal(rows));
}

TEST(Crosscoder, DifferenceViewIsTargetMinusBase) {
  const at::Tensor rows = sample_rows();
  EXPECT_TRUE(view_rows(RowView::kDifference, rows).select(1, 0).equal(rows.select(1, 1) - rows.select(1, 0)));
  EXPECT_TRUE(view_rows(RowView::kModels, rows).equal(rows));
}

TEST(Crosscoder, RejectsWhatDoesNotFit) {
  const auto message = [](const Crosscoder& c) -> std::string {
    try {
      check_crosscoder(c, "here");
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalid);
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(message(sample_crosscoder(true)), "");
  Crosscoder c = sample_crosscoder(true);
  c.decoder = c.decoder.transpose(0, 1);
  EXPECT_THAT(message(c), testing::HasSubstr("'decoder' has shape [10, 2, 6], expected [2, 10, 6]"));
  c = sample_crosscoder(true);
  c.encoder_bias[3] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(message(c), testing::HasSubstr("'encoder_bias' holds numbers that are not finite"));
  c = sample_crosscoder(true);
  c.k = 0;
  EXPECT_THAT(message(c), testing::HasSubstr("k is 0"));
  c = sample_crosscoder(true);
  c.scaling.scale = at::tensor({1.0F, 0.0F});
  EXPECT_THAT(message(c), testing::HasSubstr("not above 0"));
}

}  // namespace
}  // namespace fi
