#include "fi/intervene/splice_quality.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fi/core/error.h"
#include "tests/tiny_models.h"

namespace fi {
namespace {

constexpr int64_t kLayer = 1;

// Random prompts with what the model itself says next: replacing rows can only make these answers less likely.
std::vector<TracedText> own_answers(const Decoder& model, size_t count) {
  std::vector<TracedText> texts = random_texts(count, model.config().vocab_size, 3);
  for (TracedText& text : texts) {
    text.ids.resize(8);
    for (int i = 0; i < 6; ++i) {
      const at::Tensor logits = model.forward(pack({&text.ids, 1})).logits;
      text.ids.push_back(static_cast<int32_t>(logits[logits.size(0) - 1].argmax().item<int64_t>()));
    }
  }
  return texts;
}

class SpliceQuality : public testing::Test {
 protected:
  SpliceReport splice(const std::vector<std::pair<std::string, RowReplacement>>& replacements) const {
    return splice_quality(base_, target_, texts_, places_, replacements, {.layers = {kLayer}, .mean = mean_}, silent_progress());
  }

  static std::vector<SplicePlace> all_but_first(const std::vector<TracedText>& texts) {
    std::vector<SplicePlace> places;
    for (size_t text = 0; text < texts.size(); ++text) {
      for (size_t position = 1; position < texts[text].ids.size(); ++position)
        places.push_back({static_cast<int64_t>(text), static_cast<int64_t>(position)});
    }
    return places;
  }

  const Decoder base_ = load_tiny();
  const Decoder target_ = with_written_direction(base_, 0, at::ones({base_.config().d_model}), 0.3);
  const std::vector<TracedText> texts_ = own_answers(base_, 5);
  const std::vector<SplicePlace> places_ = all_but_first(texts_);
  const at::Tensor mean_ = at::full({2, base_.config().d_model}, 0.01);
};

TEST_F(SpliceQuality, APerfectReconstructionLosesNothingAndZerosEverything) {
  const SpliceReport report = splice({{"perfect", [](const at::Tensor& rows) { return rows; }},
                                      {"nothing", [](const at::Tensor& rows) { return at::zeros_like(rows); }}});
  ASSERT_EQ(report.replacements.size(), 4U);
  const auto &zeros = report.replacements[0], &mean = report.replacements[1], &perfect = report.replacements[2];
  EXPECT_EQ(zeros.name, "zeros");
  EXPECT_EQ(mean.name, "mean");
  for (const SpliceEffect& effect : {perfect.base, perfect.target}) {
    EXPECT_EQ(effect.kl, 0.0);
    EXPECT_EQ(effect.loss_recovered, 1.0);
  }
  EXPECT_EQ(perfect.base.loss, report.base_loss);
  EXPECT_EQ(perfect.target.loss, report.target_loss);
  EXPECT_NE(report.base_loss, report.target_loss);
  EXPECT_EQ(report.replacements[3].base.loss_recovered, 0.0);
  EXPECT_EQ(report.replacements[3].base.kl, zeros.base.kl);
  EXPECT_GT(zeros.base.kl, 0.0);
  EXPECT_GT(zeros.base.loss, report.base_loss);
  EXPECT_EQ(mean.base.loss_recovered_mean, 0.0);
  EXPECT_EQ(report.num_texts, 5);
  EXPECT_EQ(report.num_answers, 5 * 6);
  EXPECT_EQ(report.num_rows, static_cast<int64_t>(places_.size()));
}

// The definition, one text at a time with whole forward passes.
TEST_F(SpliceQuality, AgreesWithForwardPassesThatReplaceTheRows) {
  const SpliceReport report = splice({{"half", [](const at::Tensor& rows) { return rows * 0.5; }}});
  double loss = 0.0, kl = 0.0;
  for (const TracedText& text : texts_) {
    const PackedBatch batch = pack({&text.ids, 1});
    ForwardOptions halved;
    halved.on_resid_post = [](int64_t layer, const at::Tensor& resid) {
      if (layer != kLayer) return resid;
      const at::Tensor changed = resid.clone();
      changed.narrow(0, 1, resid.size(0) - 1).mul_(0.5);
      return changed;
    };
    const at::Tensor expected = target_.forward(batch).logits.log_softmax(-1);
    const at::Tensor got = target_.forward(batch, halved).logits.log_softmax(-1);
    for (int64_t row = text.answer_start - 1; row + 1 < static_cast<int64_t>(text.ids.size()); ++row) {
      loss -= got[row][text.ids[static_cast<size_t>(row) + 1]].item<double>() / 30.0;
      kl += (expected[row].exp() * (expected[row] - got[row])).sum().item<double>() / 30.0;
    }
  }
  EXPECT_NEAR(report.replacements[2].target.loss, loss, 1e-4);
  EXPECT_NEAR(report.replacements[2].target.kl, kl, 1e-4);
}

TEST_F(SpliceQuality, BothModelsRowsAreSeenTogether) {
  const SpliceReport report = splice({{"exchanged", [](const at::Tensor& rows) { return rows.flip({1}); }}});
  EXPECT_GT(report.replacements[2].base.kl, 0.0);
  const SpliceReport same =
      splice_quality(base_, base_, texts_, places_, {{"exchanged", [](const at::Tensor& rows) { return rows.flip({1}); }}},
                     {.layers = {kLayer}, .mean = mean_}, silent_progress());
  EXPECT_EQ(same.replacements[2].base.kl, 0.0);
}

// The same text under a token that only the target reads: rows of the base keep their partners, one place later.
TEST_F(SpliceQuality, EachModelGoesOnInItsOwnIds) {
  std::vector<TracedText> texts = texts_, shifted = texts_;
  std::vector<SplicePlace> places, shifted_places;
  for (int64_t i = 0; i < std::ssize(texts); ++i) {
    places.push_back({i, 9});
    shifted_places.push_back({i, 10});
  }
  for (size_t i = 0; i < texts.size(); ++i) {
    shifted[i].ids.insert(shifted[i].ids.begin(), 3);
    ++shifted[i].answer_start;
    texts[i].target = OwnReading{.ids = shifted[i].ids, .answer_start = shifted[i].answer_start};
    for (size_t p = 0; p < texts_[i].ids.size(); ++p) texts[i].target->partners.push_back(static_cast<int32_t>(p) + 1);
  }
  const std::vector<std::pair<std::string, RowReplacement>> halved = {
      {"half", [](const at::Tensor& rows) { return rows * 0.5; }}};
  const SpliceOptions options{.layers = {kLayer}, .mean = mean_};
  const SpliceReport both = splice_quality(base_, target_, texts, places, halved, options, silent_progress());
  const SpliceReport plain = splice_quality(base_, target_, texts_, places, halved, options, silent_progress());
  const SpliceReport moved = splice_quality(base_, target_, shifted, shifted_places, halved, options, silent_progress());
  EXPECT_EQ(both.num_answers, plain.num_answers);
  EXPECT_NEAR(both.base_loss, plain.base_loss, 1e-6);
  EXPECT_NEAR(both.target_loss, moved.target_loss, 1e-6);
  EXPECT_NEAR(both.replacements[2].base.kl, plain.replacements[2].base.kl, 1e-6);
  EXPECT_NEAR(both.replacements[2].target.kl, moved.replacements[2].target.kl, 1e-6);
  EXPECT_NE(moved.target_loss, plain.target_loss);
  texts[0].target->partners[9] = -1;
  EXPECT_THROW(splice_quality(base_, target_, texts, places, halved, options, silent_progress()), Error);
}

TEST_F(SpliceQuality, WithoutReplacedRowsThereIsNothingToSay) {
  const SpliceReport report =
      splice_quality(base_, target_, texts_, {}, {}, {.layers = {kLayer}, .mean = mean_}, silent_progress());
  EXPECT_EQ(report.num_answers, 0);
  EXPECT_TRUE(report.replacements.empty());
}

TEST_F(SpliceQuality, WhatDoesNotFitIsRefused) {
  const auto code = [&](const std::vector<TracedText>& texts, const std::vector<SplicePlace>& places, int64_t layer) {
    try {
      splice_quality(base_, target_, texts, places, {}, {.layers = {layer}, .mean = mean_}, silent_progress());
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::kInternal;
  };
  EXPECT_EQ(code(texts_, places_, 99), ErrorCode::kIncompatible);
  EXPECT_EQ(code(texts_, {{0, 500}}, kLayer), ErrorCode::kIncompatible);
  std::vector<TracedText> foreign = texts_;
  foreign[2].ids[3] = 1'000'000;
  EXPECT_EQ(code(foreign, places_, kLayer), ErrorCode::kIncompatible);
}

// Zeros after both layers: what comes after the first no longer matters, but for the rows that are not replaced.
TEST_F(SpliceQuality, SeveralLayersAreReplacedTogether) {
  const at::Tensor mean = at::zeros({4, base_.config().d_model});
  const auto both = [&](const std::vector<std::pair<std::string, RowReplacement>>& replacements) {
    return splice_quality(base_, target_, texts_, places_, replacements, {.layers = {0, 2}, .mean = mean}, silent_progress());
  };
  const auto first_only = [](const at::Tensor& rows) {
    at::Tensor changed = rows.clone();
    for (const int64_t row : {0, 2}) changed.select(1, row).zero_();
    return changed;
  };
  const SpliceReport report = both({{"perfect", [](const at::Tensor& rows) { return rows; }}, {"first", first_only}});
  const NamedSplice &zeros = report.replacements[0], &perfect = report.replacements[2], &first = report.replacements[3];
  EXPECT_EQ(perfect.base.kl, 0.0);
  EXPECT_EQ(perfect.target.kl, 0.0);
  EXPECT_GT(zeros.target.kl, 0.0);
  // After the last layer every replaced row is itself again, and the last block is the last layer: nothing is lost.
  EXPECT_NEAR(first.base.kl, 0.0, 1e-6);
  EXPECT_NEAR(first.target.kl, 0.0, 1e-6);
}

// 2 blocks of width 24 beside 3 of width 32.
TEST_F(SpliceQuality, ModelsOfOtherShapesEachGoOnWithTheirOwnRows) {
  const Decoder small = load_tiny("olmo2");
  const at::Tensor mean = at::zeros({2, base_.config().d_model});
  const SpliceReport report =
      splice_quality(small, base_, texts_, places_, {{"perfect", [](const at::Tensor& rows) { return rows; }}},
                     {.layers = {1}, .mean = mean}, silent_progress());
  const NamedSplice &zeros = report.replacements[0], &perfect = report.replacements[2];
  for (const SpliceEffect& effect : {perfect.base, perfect.target}) EXPECT_EQ(effect.kl, 0.0);
  EXPECT_GT(zeros.base.kl, 0.0);
  EXPECT_GT(zeros.target.kl, 0.0);
  EXPECT_EQ(perfect.base.loss, report.base_loss);
}

}  // namespace
}  // namespace fi
