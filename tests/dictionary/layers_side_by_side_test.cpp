#include "fi/dictionary/layers_side_by_side.h"

#include <gtest/gtest.h>

#include "fi/core/error.h"
#include "tests/dictionary/sample_crosscoder.h"

namespace fi {
namespace {

// Two layers of each of two models.
Crosscoder two_layers(CodeNorm norm) {
  Random random(5, stream_of("two layers"));
  Crosscoder c;
  c.encoder = normal_tensor({4, 6, 10}, random, 0.4);
  c.encoder_bias = normal_tensor({10}, random, 0.1);
  c.decoder = normal_tensor({4, 10, 6}, random, 0.5);
  c.decoder_bias = normal_tensor({4, 6}, random, 0.2);
  c.scaling.mean = normal_tensor({4, 6}, random, 1.0);
  c.scaling.scale = at::tensor({0.5F, 2.0F, 0.6F, 1.5F});
  c.code_norm = norm;
  c.threshold = 0.8;
  return c;
}

at::Tensor rows_of_two_layers() {
  Random random(6, stream_of("rows of two layers"));
  return normal_tensor({12, 4, 6}, random, 2.0);
}

// [n, 4, 6] with each layer times the target's scale there -> [n, 2, 12], written out by hand.
at::Tensor by_hand(const at::Tensor& rows) {
  const auto model = [&](int64_t m) { return at::cat({rows.select(1, 2 * m) * 0.6, rows.select(1, 2 * m + 1) * 1.5}, 1); };
  return at::stack({model(0), model(1)}, 1);
}

TEST(LayersSideBySide, CodesAreTheScaledOnesAndReconstructionsTheSame) {
  const MemoryRows rows(rows_of_two_layers());
  for (const CodeNorm norm : {CodeNorm::kCrosscoder, CodeNorm::kSae, CodeNorm::kNone}) {
    const Crosscoder c = two_layers(norm);
    const LayersSideBySide sides(c, rows);
    EXPECT_EQ(sides.num_layers(), 2);
    const at::Tensor original = read_rows(rows, 0, 12), wide = read_rows(sides.rows(), 0, 12);
    EXPECT_TRUE(at::allclose(wide, by_hand(original)));
    EXPECT_TRUE(sides.as_read(original).equal(wide));
    const at::Tensor codes = encode(c, original), wide_codes = encode(sides.crosscoder(), wide);
    ASSERT_GT(codes.count_nonzero().item<int64_t>(), 5);
    EXPECT_TRUE(at::allclose(wide_codes, scaled_codes(c, codes), 1e-4, 1e-5));
    EXPECT_TRUE(at::allclose(decode(sides.crosscoder(), wide_codes), by_hand(decode(c, codes)), 1e-4, 1e-4));
  }
}

TEST(LayersSideBySide, OneLayerOfEachStaysAsItIs) {
  const Crosscoder c = sample_crosscoder(false);
  const MemoryRows rows(sample_rows());
  const LayersSideBySide sides(c, rows);
  EXPECT_EQ(sides.num_layers(), 1);
  EXPECT_EQ(&sides.rows(), &rows);
  EXPECT_TRUE(sides.as_read(read_rows(rows, 0, 3)).equal(read_rows(rows, 0, 3)));
  EXPECT_TRUE(sides.crosscoder().decoder.equal(c.decoder));
  EXPECT_EQ(sides.crosscoder().code_norm, c.code_norm);
}

TEST(LayersSideBySide, WithoutACommonSpaceRowsAreNormalised) {
  const Crosscoder c = sample_crosscoder(false);
  const MemoryRows rows(sample_rows());
  const LayersSideBySide sides(c, rows, /*has_one_space=*/false);
  const at::Tensor original = read_rows(rows, 0, 12), own = read_rows(sides.rows(), 0, 12);
  EXPECT_TRUE(sides.as_read(original).equal(own));
  EXPECT_TRUE(at::allclose(own - sides.crosscoder().scaling.mean, normalise(c.scaling, original), 1e-4, 1e-5));
  const at::Tensor codes = encode(c, original), own_codes = encode(sides.crosscoder(), own);
  ASSERT_GT(codes.count_nonzero().item<int64_t>(), 5);
  EXPECT_TRUE(at::allclose(own_codes, scaled_codes(c, codes), 1e-4, 1e-5));
  EXPECT_TRUE(at::allclose(decode(sides.crosscoder(), own_codes) - sides.crosscoder().scaling.mean,
                           normalise(c.scaling, decode(c, codes)), 1e-4, 1e-4));
}

TEST(LayersSideBySide, SharesOfLayersSumToOneInEachModel) {
  Crosscoder c = two_layers(CodeNorm::kNone);
  c.decoder.select(0, 1).zero_();  // the base's second layer
  const MemoryRows rows(rows_of_two_layers());
  const at::Tensor shares = norm_shares_by_layer({c, rows}, 3);
  EXPECT_TRUE(at::allclose(shares[0], at::tensor({1.0F, 0.0F})));
  EXPECT_NEAR(shares[1].sum().item<double>(), 1.0, 1e-6);
  EXPECT_GT(shares[1].min().item<double>(), 0.0);
}

TEST(LayersSideBySide, OtherDictionariesAreRefused) {
  const MemoryRows rows(rows_of_two_layers());
  Crosscoder odd = two_layers(CodeNorm::kNone);
  odd.encoder = odd.encoder.narrow(0, 0, 3);
  EXPECT_THROW(LayersSideBySide(odd, rows), Error);
  EXPECT_THROW(LayersSideBySide(sample_crosscoder(false), rows), Error);  // rows of other layers
}

}  // namespace
}  // namespace fi
