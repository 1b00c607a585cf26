#include "fi/model/attend.h"

#include <gtest/gtest.h>

#include <cmath>

namespace fi {
namespace {

constexpr int64_t kHeads = 6, kKvHeads = 2, kWidth = 10;

// Attention by its definition, one row and head at a time.
at::Tensor by_definition(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const AttentionRule& rule) {
  at::Tensor mixed = at::zeros_like(q);
  const int64_t past = k.size(0) - q.size(0);
  for (int64_t row = 0; row < q.size(0); ++row) {
    for (int64_t head = 0; head < kHeads; ++head) {
      const int64_t last = past + row, first = rule.window ? std::max<int64_t>(0, last + 1 - *rule.window) : 0;
      const int64_t shared = head / (kHeads / kKvHeads);
      const at::Tensor keys = k.narrow(0, first, last + 1 - first).select(1, shared);
      at::Tensor scores = keys.matmul(q[row][head]) * rule.scale;
      if (rule.soft_cap > 0.0) scores = (scores / rule.soft_cap).tanh() * rule.soft_cap;
      mixed[row][head] = scores.softmax(0).matmul(v.narrow(0, first, last + 1 - first).select(1, shared));
    }
  }
  return mixed;
}

class Attend : public testing::TestWithParam<AttentionRule> {};

// Sequences of 9, 1 and 30 tokens: read at once, in two pieces through a cache, and token by token.
TEST_P(Attend, EqualsTheDefinitionHoweverTheTextIsCut) {
  const std::vector<int64_t> lengths = {9, 1, 30};
  at::manual_seed(0);
  LayerCache pieces{at::zeros({4, kKvHeads, 32, kWidth}), at::zeros({4, kKvHeads, 32, kWidth})};
  LayerCache tokens{pieces.keys.clone(), pieces.values.clone()};
  for (size_t i = 0; i < lengths.size(); ++i) {
    const int64_t length = lengths[i], slot = 3 - static_cast<int64_t>(i);
    const at::Tensor q = at::randn({length, kHeads, kWidth}), k = at::randn({length, kKvHeads, kWidth}), v = at::randn_like(k);
    const at::Tensor wanted = by_definition(q, k, v, GetParam());
    EXPECT_LT((attend_sequences(q, k, v, make_layout({0, length}, {}, {}, at::kCPU), nullptr, GetParam()) - wanted)
                  .abs()
                  .max()
                  .item<float>(),
              1e-5f);
    for (int64_t past = 0, rows = length / 3; past < length; past += rows, rows = length - past) {
      if (rows == 0) continue;
      const RowLayout layout = make_layout({0, rows}, {past}, {slot}, at::kCPU);
      pieces.append(k.narrow(0, past, rows), v.narrow(0, past, rows), layout);
      const at::Tensor got = attend_sequences(q.narrow(0, past, rows), k.narrow(0, past, rows), v.narrow(0, past, rows), layout,
                                              &pieces, GetParam());
      EXPECT_LT((got - wanted.narrow(0, past, rows)).abs().max().item<float>(), 1e-5f);
    }
    for (int64_t past = 0; past < length; ++past) {
      const RowLayout layout = make_layout({0, 1}, {past}, {slot}, at::kCPU);
      tokens.append(k.narrow(0, past, 1), v.narrow(0, past, 1), layout);
      const at::Tensor got = attend_newest(q.narrow(0, past, 1), layout, tokens, GetParam());
      EXPECT_LT((got - wanted.narrow(0, past, 1)).abs().max().item<float>(), 1e-5f);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Rules, Attend,
                         testing::Values(AttentionRule{.scale = 0.3}, AttentionRule{.scale = 0.5, .window = 4},
                                         AttentionRule{.scale = 1.0, .soft_cap = 2.0},
                                         AttentionRule{.scale = 1.0, .window = 1, .soft_cap = 0.5}));

}  // namespace
}  // namespace fi
