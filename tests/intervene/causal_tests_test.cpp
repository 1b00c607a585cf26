#include <gtest/gtest.h>

#include "fi/core/error.h"
#include "fi/intervene/causal_tests.h"
#include "fi/intervene/subspace.h"
#include "tests/tiny_models.h"

namespace fi {
namespace {

at::Tensor gaussian(int64_t rows, int64_t columns, uint64_t seed) {
  Random random(seed);
  at::Tensor x = at::empty({rows, columns});
  for (int64_t i = 0; i < x.numel(); ++i) x.mutable_data_ptr<float>()[i] = static_cast<float>(random.normal());
  return x;
}

double largest(const at::Tensor& x) { return x.abs().max().item<double>(); }

TEST(Subspace, BasesAreOrthonormalAndRandomOnesRepeatable) {
  const at::Tensor rows = gaussian(30, 12, 1);
  for (const Subspace& subspace : {leading_subspace(rows, 5), random_subspace(12, 5, 3, 0)}) {
    ASSERT_EQ(subspace.basis.sizes(), (std::vector<int64_t>{12, 5}));
    EXPECT_LT(largest(at::matmul(subspace.basis.t(), subspace.basis) - at::eye(5)), 1e-5);
  }
  EXPECT_TRUE(at::equal(random_subspace(12, 5, 3, 0).basis, random_subspace(12, 5, 3, 0).basis));
  EXPECT_FALSE(at::equal(random_subspace(12, 5, 3, 0).basis, random_subspace(12, 5, 3, 1).basis));
  EXPECT_EQ(leading_subspace(gaussian(3, 12, 1), 5).basis.size(1), 3);
}

TEST(Subspace, LeadingOneHoldsWhatASingularValueDecompositionSays) {
  const at::Tensor rows = gaussian(30, 12, 2).mul(at::linspace(0.1, 3.0, 12));
  const auto [u, s, vh] = at::linalg_svd(rows.to(at::kDouble), false);
  const at::Tensor expected = at::matmul(vh.narrow(0, 0, 4).t(), vh.narrow(0, 0, 4));
  const at::Tensor basis = leading_subspace(rows, 4).basis.to(at::kDouble);
  EXPECT_LT(largest(at::matmul(basis, basis.t()) - expected), 1e-4);
}

TEST(Subspace, ExchangeTakesTheInsideAndLeavesTheOutside) {
  const at::Tensor rows = gaussian(7, 10, 3), source = gaussian(7, 10, 4);
  const Subspace subspace = random_subspace(10, 4, 5, 0);
  const at::Tensor mixed = exchange_inside(rows, source, subspace);
  const at::Tensor inside = at::matmul(subspace.basis, subspace.basis.t());
  EXPECT_LT(largest(at::matmul(mixed - source, inside)), 1e-5);
  EXPECT_LT(largest(at::matmul(mixed - rows, at::eye(10) - inside)), 1e-5);
  EXPECT_LT(largest(exchange_inside(rows, source, random_subspace(10, 10, 6, 0)) - source), 1e-5);
}

/// A tiny model and a copy whose middle block also writes along one direction; half of the texts fit, half test.
struct Planted {
  Decoder base = load_tiny();
  at::Tensor direction = at::zeros({base.config().d_model}).index_fill_(0, at::tensor({5}, at::kLong), 1.0);
  Decoder target = with_written_direction(base, 1, direction, 3.0);
  CausalTexts texts{.fit = answered(11), .test = answered(12), .elsewhere = {}};

  // Continuations that the target itself prefers, as real answers are.
  std::vector<TracedText> answered(uint64_t seed) const {
    std::vector<TracedText> all = random_texts(12, base.config().vocab_size, seed);
    for (TracedText& text : all) {
      text.ids.resize(static_cast<size_t>(text.answer_start));
      for (int i = 0; i < 6; ++i) text.ids.push_back(target.forward(pack({&text.ids, 1})).logits[-1].argmax().item<int32_t>());
    }
    return all;
  }
};

CausalOptions small_options() { return {.rank = 1, .num_random = 3, .num_layers_tried = 2, .seed = 1}; }

TEST(CausalTests, APlantedDirectionIsSufficientAndNecessaryAndItsControlsAreNot) {
  const Planted planted;
  const CausalReport report = test_causes(planted.base, planted.target, planted.texts, small_options(), silent_progress());
  EXPECT_GT(report.gap, 0.05);
  EXPECT_EQ(report.layer, 1);
  for (const CausalEffect* effect : {&report.sufficiency, &report.necessity}) {
    EXPECT_TRUE(effect->passed);
    EXPECT_NEAR(effect->effect, 1.0, 0.02);
    EXPECT_LT(effect->control(), 0.6);
    EXPECT_GT(effect->margin.low, 0.0);
    EXPECT_LE(effect->interval.low, effect->effect);
    EXPECT_GE(effect->interval.high, effect->effect);
  }
}

TEST(CausalTests, NothingPassesForAModelAgainstItself) {
  const Planted planted;
  const CausalReport report = test_causes(planted.base, planted.base, planted.texts, small_options(), silent_progress());
  EXPECT_FALSE(report.sufficiency.passed);
  EXPECT_FALSE(report.necessity.passed);
  EXPECT_TRUE(report.sufficiency.by_text.empty());
}

TEST(CausalTests, FourTextsAreTheFewestThatCanPass) {
  Planted planted;
  planted.texts.test.resize(3);
  const CausalReport report = test_causes(planted.base, planted.target, planted.texts, small_options(), silent_progress());
  EXPECT_FALSE(report.sufficiency.passed);
}

TEST(CausalTests, AChangeThatAlsoMovesOtherAnswersIsNotSpecific) {
  Planted planted;
  planted.texts.elsewhere = planted.answered(13);  // the planted direction shows on every text
  for (TracedText& text : planted.texts.elsewhere) {
    text.ids.resize(static_cast<size_t>(text.answer_start));
    for (int i = 0; i < 6; ++i)
      text.ids.push_back(planted.base.forward(pack({&text.ids, 1})).logits[-1].argmax().item<int32_t>());
  }
  const CausalReport report = test_causes(planted.base, planted.target, planted.texts, small_options(), silent_progress());
  EXPECT_FALSE(report.specificity.passed);
  EXPECT_GT(report.specificity.effect, kLargestSideEffect);
}

TEST(CausalTests, RefusesModelsOfOtherShapesAndEmptyTexts) {
  const Planted planted;
  const auto code_of = [&](const Decoder& target, const CausalTexts& texts) {
    try {
      test_causes(planted.base, target, texts, small_options(), silent_progress());
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::kInternal;
  };
  EXPECT_EQ(code_of(load_tiny("gemma3"), planted.texts), ErrorCode::kIncompatible);
  EXPECT_EQ(code_of(planted.target, {}), ErrorCode::kUsage);
}

}  // namespace
}  // namespace fi
