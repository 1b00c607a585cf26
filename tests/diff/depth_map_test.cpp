#include "fi/diff/depth_map.h"

#include <gtest/gtest.h>

#include "fi/capture/matched_layer.h"
#include "fi/core/error.h"
#include "fi/diff/kernel_alignment.h"
#include "tests/tiny_models.h"

namespace fi {
namespace {

at::Tensor random_rows(int64_t n, int64_t width, uint64_t seed) {
  Random random(seed);
  at::Tensor rows = at::empty({n, width});
  for (int64_t i = 0; i < rows.numel(); ++i) rows.data_ptr<float>()[i] = static_cast<float>(random.normal());
  return rows;
}

TEST(LinearCka, IsOneUpToRotationAndScaleAndAboutZeroForUnrelatedRows) {
  const at::Tensor x = random_rows(200, 40, 1);
  const at::Tensor rotation = std::get<0>(at::linalg_qr(random_rows(40, 40, 2)));
  EXPECT_NEAR(linear_cka(x, at::matmul(x, rotation) * 3.0 + 5.0), 1.0, 1e-6);
  // Wider than long: the biased estimate would say 0.75 here.
  EXPECT_NEAR(linear_cka(random_rows(200, 600, 3), random_rows(200, 600, 4)), 0.0, 0.05);
  EXPECT_EQ(linear_cka(at::ones({9, 3}), random_rows(9, 3, 5)), 0.0);
  EXPECT_EQ(linear_cka(random_rows(3, 3, 6), random_rows(3, 3, 6)), 0.0);
}

// HSIC's unbiased estimate as the mean over all quadruples of different rows of its kernel (Song et al., 2012, equation 4).
double hsic_by_quadruples(const at::Tensor& x, const at::Tensor& y) {
  const at::Tensor k = at::matmul(x, x.t()).to(at::kDouble), l = at::matmul(y, y.t()).to(at::kDouble);
  const int64_t n = x.size(0);
  const auto K = k.accessor<double, 2>(), L = l.accessor<double, 2>();
  double pairs = 0.0, quadruples = 0.0, triples = 0.0;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      if (i == j) continue;
      pairs += K[i][j] * L[i][j];
      for (int64_t q = 0; q < n; ++q) {
        if (q == i || q == j) continue;
        triples += K[i][j] * L[i][q];
        for (int64_t r = 0; r < n; ++r) {
          if (r != i && r != j && r != q) quadruples += K[i][j] * L[q][r];
        }
      }
    }
  }
  const auto m = static_cast<double>(n);
  return pairs / (m * (m - 1)) + quadruples / (m * (m - 1) * (m - 2) * (m - 3)) - 2.0 * triples / (m * (m - 1) * (m - 2));
}

TEST(LinearCka, EqualsTheMeanOverAllQuadruples) {
  const at::Tensor x = random_rows(9, 3, 7), y = at::cat({x.narrow(1, 0, 2), random_rows(9, 2, 8)}, 1);
  const double wanted = hsic_by_quadruples(x, y) / std::sqrt(hsic_by_quadruples(x, x) * hsic_by_quadruples(y, y));
  EXPECT_NEAR(linear_cka(x, y), wanted, 1e-6);
}

TEST(MatchedLayer, PairsFirstWithFirstAndLastWithLast) {
  EXPECT_EQ(matched_layer(0, 24, 28), 0);
  EXPECT_EQ(matched_layer(27, 24, 28), 23);
  EXPECT_EQ(matched_layer(14, 24, 28), 12);
  for (int64_t layer = 0; layer < 7; ++layer) EXPECT_EQ(matched_layer(layer, 7, 7), layer);
  EXPECT_EQ(matched_layer(0, 5, 1), 4);
}

AlignedText aligned(const TracedText& text, const TokenIds& target_ids) {
  AlignedText both{.base = text, .target = text};
  both.target.ids = target_ids;
  for (size_t i = 0; i < text.ids.size(); ++i) both.positions.push_back({i, i, i + 1});
  for (auto i = static_cast<size_t>(text.answer_start) - 1; i + 1 < text.ids.size(); ++i)
    both.predictions.push_back({i, i, i + 1});
  both.num_bytes = both.num_bytes_covered = text.ids.size();
  return both;
}

TokenMap identity_of(int64_t size) {
  TokenMap map;
  for (int32_t id = 0; id < size; ++id) {
    map.base.push_back(id);
    map.target.push_back(id);
  }
  return map;
}

TEST(DepthMap, OfAModelAgainstItselfIsPerfect) {
  const Decoder model = load_tiny();
  std::vector<AlignedText> texts;
  for (const TracedText& text : random_texts(6, model.config().vocab_size, 9)) texts.push_back(aligned(text, text.ids));
  const DepthMap map = compare_depths(model, model, identity_of(model.config().vocab_size), texts, silent_progress());
  ASSERT_EQ(map.layers.size(), static_cast<size_t>(model.config().num_layers));
  for (const DepthRow& row : map.layers) {
    EXPECT_NEAR(row.similarity, 1.0, 1e-9);
    EXPECT_EQ(row.base_norm, row.target_norm);
  }
  EXPECT_EQ(map.token_kl, 0.0);
  EXPECT_EQ(map.num_predictions, map.num_answer_tokens);
  EXPECT_EQ(map.share_covered, 1.0);
  EXPECT_THROW(compare_depths(model, model, {}, {}, silent_progress()), Error);
}

/// The model with its ids exchanged in pairs: 0 for 1, 2 for 3, ...
Decoder with_swapped_ids(const Decoder& model) {
  Decoder::Parts parts = model.parts();
  const at::Tensor order = at::arange(parts.config.vocab_size, at::kLong).bitwise_xor(1);
  parts.embedding = hold_dense(parts.embedding->to_float().index_select(0, order));
  parts.unembedding = hold_dense(parts.unembedding->to_float().index_select(0, order));
  return Decoder(std::move(parts));
}

TEST(DepthMap, SwappedIdsAreTheSameStrings) {
  const Decoder model = load_tiny(), swapped = with_swapped_ids(model);
  ASSERT_EQ(model.config().vocab_size % 2, 0);
  TokenMap map = identity_of(model.config().vocab_size);
  for (int32_t& id : map.target) id ^= 1;
  map.swaps.push_back({0, "a", "b"});
  std::vector<AlignedText> texts;
  for (const TracedText& text : random_texts(6, model.config().vocab_size, 10)) {
    TokenIds ids = text.ids;
    for (int32_t& id : ids) id ^= 1;
    texts.push_back(aligned(text, ids));
  }
  const DepthMap same = compare_depths(model, swapped, map, texts, silent_progress());
  EXPECT_NEAR(same.token_kl, 0.0, 1e-6);
  for (const DepthRow& row : same.layers) EXPECT_NEAR(row.similarity, 1.0, 1e-6);
  // Taken as ids, the same models would seem to differ.
  const DepthMap mistaken = compare_depths(model, swapped, identity_of(model.config().vocab_size), texts, silent_progress());
  EXPECT_GT(mistaken.token_kl, 0.1);
}

TEST(DepthMap, KlOverCommonTokensNeverExceedsTheWhole) {
  const Decoder base = load_tiny();
  const at::Tensor direction = at::zeros({base.config().d_model}).index_fill_(0, at::tensor({3}, at::kLong), 1.0);
  const Decoder target = with_written_direction(base, 1, direction, 2.0);
  std::vector<AlignedText> texts;
  for (const TracedText& text : random_texts(6, base.config().vocab_size, 11)) texts.push_back(aligned(text, text.ids));
  const double whole = compare_depths(base, target, identity_of(base.config().vocab_size), texts, silent_progress()).token_kl;
  TokenMap half = identity_of(base.config().vocab_size / 2);
  half.num_only_base = half.num_only_target = base.config().vocab_size - base.config().vocab_size / 2;
  const double part = compare_depths(base, target, half, texts, silent_progress()).token_kl;
  EXPECT_GT(part, 0.0);
  EXPECT_LT(part, whole);
}

}  // namespace
}  // namespace fi
