#include "fi/diff/token_kl.h"

#include <gtest/gtest.h>

#include "fi/diff/layer_map.h"
#include "tests/tiny_models.h"

namespace fi {
namespace {

/// A tiny model, a copy that differs in one direction, and texts of other lengths.
struct Pair {
  Decoder base = load_tiny();
  Decoder target = with_written_direction(base, 1, at::ones({base.config().d_model}), 0.4);
  std::vector<TracedText> texts = random_texts(7, base.config().vocab_size, 5);
};

std::vector<double> naive_kl(const Pair& pair, const TracedText& text) {
  const auto log_probabilities = [&](const Decoder& model) {
    return model.forward(pack({&text.ids, 1})).logits.log_softmax(-1).to(at::kDouble);
  };
  const at::Tensor p = log_probabilities(pair.target), q = log_probabilities(pair.base);
  std::vector<double> kl;
  for (int64_t row = text.answer_start - 1; row < static_cast<int64_t>(text.ids.size()) - 1; ++row)
    kl.push_back((p[row].exp() * (p[row] - q[row])).sum().item<double>());
  return kl;
}

TEST(TokenKl, EachAnswerTokenHasTheSumOverTheVocabulary) {
  const Pair pair;
  const auto kl = token_kl(pair.base, pair.target, pair.texts, silent_progress());
  ASSERT_EQ(kl.size(), pair.texts.size());
  for (size_t i = 0; i < kl.size(); ++i) {
    const std::vector<double> expected = naive_kl(pair, pair.texts[i]);
    ASSERT_EQ(kl[i].size(), expected.size());
    for (size_t k = 0; k < expected.size(); ++k) EXPECT_NEAR(kl[i][k], expected[k], 1e-5);
  }
  EXPECT_GT(kl[0][0], 1e-3);
}

TEST(TokenKl, ItsMeanIsThatOfTheLayerMap) {
  const Pair pair;
  double sum = 0.0;
  int64_t count = 0;
  for (const std::vector<double>& text : token_kl(pair.base, pair.target, pair.texts, silent_progress())) {
    for (const double value : text) sum += value;
    count += std::ssize(text);
  }
  const auto nothing_special = [](int32_t) { return false; };
  const LayerMap map = compare_layers(pair.base, pair.target, pair.base, pair.texts, nothing_special, silent_progress());
  EXPECT_NEAR(map.categories.at(0).token_kl, sum / static_cast<double>(count), 1e-9);
}

TEST(TokenKl, IsZeroForAModelAgainstItselfAndEmptyWithoutAnAnswer) {
  const Pair pair;
  TracedText no_answer = pair.texts[0];
  no_answer.answer_start = static_cast<int64_t>(no_answer.ids.size());
  const auto kl = token_kl(pair.base, pair.base, {pair.texts[1], no_answer}, silent_progress());
  for (const double value : kl.at(0)) EXPECT_EQ(value, 0.0);
  EXPECT_TRUE(kl.at(1).empty());
  EXPECT_TRUE(token_kl(pair.base, pair.target, {}, silent_progress()).empty());
}

TEST(KlOfRows, EqualsTheDefinitionInDouble) {
  at::manual_seed(1);
  for (const int64_t width : {1, 7, 8, 1029, 49152}) {
    const at::Tensor p = at::randn({3, width}).mul(4.0).log_softmax(-1), q = at::randn({3, width}).mul(4.0).log_softmax(-1);
    const at::Tensor wide = p.to(at::kDouble), wanted = (wide.exp() * (wide - q.to(at::kDouble))).sum(-1);
    const at::Tensor got = kl_of_rows(p, q);
    EXPECT_EQ(got.scalar_type(), at::kDouble);
    EXPECT_LT((got - wanted).abs().max().item<double>(), 1e-6 * std::max(1.0, wanted.max().item<double>())) << width;
    EXPECT_TRUE(at::equal(kl_of_rows(p, p), at::zeros({3}, at::kDouble)));
  }
}

TEST(KlOfRows, WhatIsAlmostImpossibleAddsAlmostNothing) {
  const at::Tensor p = at::full({1, 16}, -1e4F), q = at::full({1, 16}, -2e4F);
  p[0][0] = 0.0F;
  q[0][0] = -0.5F;
  EXPECT_NEAR(kl_of_rows(p, q).item<double>(), 0.5, 1e-6);
}

}  // namespace
}  // namespace fi
