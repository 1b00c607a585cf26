#include <gtest/gtest.h>

#include "fi/capture/paired_rows.h"
#include "tests/tiny_models.h"

namespace fi {
namespace {

TEST(TracedText, MarksTheRowsThatPredictTheAnswer) {
  const PackedTexts texts = pack_texts(std::vector<TracedText>{{{1, 2, 3, 4}, 2, "a"}, {{5, 6}, 2, "a"}, {{7, 8, 9}, 1, "a"}});
  EXPECT_EQ(texts.text_starts, (std::vector<int64_t>{0, 2, 2, 4}));
  EXPECT_TRUE(at::equal(texts.predicting, at::tensor({1, 2, 6, 7}, at::kLong)));
  EXPECT_TRUE(at::equal(texts.answer_ids, at::tensor({3, 4, 8, 9}, at::kLong)));
}

TEST(TracedText, BatchesKeepOrderAndNeverCutAText) {
  const std::vector<TracedText> texts = random_texts(7, 20, 1);
  std::vector<TokenIds> got;
  for (const auto& batch : in_batches(texts, 30)) {
    EXPECT_LE(batch.size(), 2u);
    for (const TracedText& text : batch) got.push_back(text.ids);
  }
  ASSERT_EQ(got.size(), texts.size());
  for (size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(got[i], texts[i].ids);
}

TEST(TracedText, LogProbabilitiesEqualThoseOfSingleForwardPasses) {
  const Decoder model = load_tiny();
  const std::vector<TracedText> traced = random_texts(5, model.config().vocab_size, 2);
  const PackedTexts texts = pack_texts(traced);
  const at::Tensor resid = residual_streams(model, texts.batch).back();
  const std::vector<double> means = means_by_text(texts, answer_log_probabilities(model, texts, resid));
  for (size_t i = 0; i < traced.size(); ++i) {
    const at::Tensor log_probabilities = model.forward(pack({&traced[i].ids, 1})).logits.log_softmax(-1);
    double sum = 0.0;
    for (auto at = static_cast<size_t>(traced[i].answer_start); at < traced[i].ids.size(); ++at)
      sum += log_probabilities[static_cast<int64_t>(at) - 1][traced[i].ids[at]].item<double>();
    EXPECT_NEAR(means[i], sum / static_cast<double>(traced[i].ids.size() - 8), 1e-5);
  }
}

TEST(TracedText, GoesOnAfterALayerAsIfItHadNeverStopped) {
  const Decoder model = load_tiny();
  const PackedTexts texts = pack_texts(random_texts(3, model.config().vocab_size, 3));
  const auto streams = residual_streams(model, texts.batch);
  for (int64_t layer = 0; layer < model.config().num_layers; ++layer) {
    const at::Tensor resid = continue_after(model, texts.batch, layer, streams[static_cast<size_t>(layer)]);
    EXPECT_TRUE(at::equal(resid, streams.back())) << "layer " << layer;
  }
  EXPECT_EQ(residual_streams(model, texts.batch, 1).size(), 2u);
}

TEST(PairedRows, DropsFirstRowsSpecialTokensAndOutliersAndCountsThem) {
  const Decoder model = load_tiny();
  const std::vector<TracedText> traced = random_texts(4, 20, 4);
  const auto is_special = [](int32_t id) { return id == 7; };
  int64_t expected_masked = 4, all = 0;
  for (const TracedText& text : traced) {
    all += static_cast<int64_t>(text.ids.size());
    expected_masked += std::count(text.ids.begin() + 1, text.ids.end(), 7);
  }
  const auto rows = capture_rows(model, model, traced, {0, 2}, is_special, silent_progress());
  ASSERT_EQ(rows.size(), 2u);
  for (const PairedRows& layer : rows) {
    EXPECT_EQ(layer.base.size(0) + layer.num_masked, all);
    EXPECT_GE(layer.num_masked, expected_masked);
    EXPECT_TRUE(at::equal(layer.base, layer.target));
    EXPECT_EQ(static_cast<int64_t>(layer.text.size()), layer.base.size(0));
    for (size_t i = 0; i < layer.text.size(); ++i)
      EXPECT_NE(traced[static_cast<size_t>(layer.text[i])].ids[static_cast<size_t>(layer.position[i])], 7);
    const at::Tensor norms = layer.base.norm(2, 1);
    EXPECT_LE(norms.max().item<double>(), 4.0 * norms.median().item<double>() * 1.5);
  }
}

}  // namespace
}  // namespace fi
