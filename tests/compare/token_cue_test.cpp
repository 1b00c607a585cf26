#include "fi/compare/token_cue.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "fi/capture/store_rows.h"
#include "fi/compare/latent_use.h"
#include "fi/training/training_state.h"
#include "tests/support/temporary_folder.h"
#include "tests/tiny_models.h"

namespace fi {
namespace {

constexpr int32_t kCue = 7;

/// Texts of ids below 5; in the first four a feature fires on the cue.
struct Sample {
  std::vector<TracedText> texts;
  std::vector<ShownText> shown;
};

Sample sample(size_t num_quiet) {
  Sample sample;
  for (size_t i = 0; i < 4 + num_quiet; ++i) {
    TracedText& text = sample.texts.emplace_back(TracedText{.ids = {0, 1, 2, 3, 4, 3}, .answer_start = 3});
    ShownText& shown = sample.shown.emplace_back(ShownText{.category = "any", .rows = {}, .text = static_cast<int64_t>(i)});
    if (i < 4) text.ids[4] = kCue;
    for (size_t k = 0; k < text.ids.size(); ++k)
      shown.rows.push_back(
          {.position = static_cast<int64_t>(k), .token = text.ids[k], .value = text.ids[k] == kCue ? 2.0F : 0.1F});
  }
  return sample;
}

TEST(TokenCue, IsWhatFiresWhereverItsTokensStand) {
  const Sample given = sample(10);
  const LargestActivations fires_on_cue = [&](const std::vector<TracedText>& texts) {
    std::vector<double> largest;
    for (const TracedText& text : texts) {
      EXPECT_EQ(text.ids.size(), 6u);                                                               // no longer than before
      EXPECT_TRUE(std::equal(text.ids.begin(), text.ids.begin() + 3, given.texts[5].ids.begin()));  // prompts stay
      EXPECT_EQ(std::ranges::count(text.ids, kCue), 1);
      largest.push_back(2.0);
    }
    return largest;
  };
  const auto cue = inject_tokens(given.shown, given.texts, fires_on_cue, 0);
  ASSERT_TRUE(cue);
  EXPECT_EQ(cue->tokens, TokenIds{kCue});
  EXPECT_EQ(cue->num_texts, 8);
  EXPECT_EQ(cue->num_fired, 8);
}

TEST(TokenCue, IsNoneWhereTheFeatureNeedsMore) {
  const Sample given = sample(10);
  const auto needs_more = [](const std::vector<TracedText>& texts) { return std::vector<double>(texts.size(), 0.9); };
  EXPECT_EQ(inject_tokens(given.shown, given.texts, needs_more, 0)->num_fired, 0);  // 1.0 is half of the strongest
}

TEST(TokenCue, NeedsTextsThatLeaveTheFeatureQuiet) {
  const Sample given = sample(3);
  const auto never = [](const std::vector<TracedText>&) -> std::vector<double> {
    ADD_FAILURE() << "nothing to inject into";
    return {};
  };
  EXPECT_FALSE(inject_tokens(given.shown, given.texts, never, 0));
  EXPECT_FALSE(inject_tokens({}, {}, never, 0));
}

// Texts of a store read again: codes are those of its rows, in several layers as in one.
TEST(LatentReader, FindsTheCodesThatStoredRowsHave) {
  const TemporaryFolder folder;
  const Decoder base = load_tiny(), target = with_written_direction(base, 0, at::ones({base.config().d_model}), 1.0);
  const std::vector<TracedText> texts = random_texts(6, base.config().vocab_size, 5);
  const auto is_special = [](int32_t) { return false; };
  for (const LayerGroup& layers : {LayerGroup{1}, LayerGroup{0, 2}}) {
    store_rows(base, target, texts, is_special, {.folder = folder.path(), .layers = layers}, silent_progress());
    const ActivationStore store = ActivationStore::open(folder.path());
    const TrainingConfig config{.num_latents = 8, .k = 3, .k_initial = 3};
    const Crosscoder crosscoder =
        to_crosscoder(initial_state(config, {.mean = store.mean(), .scale = store.scale()}, RowView::kModels), config);
    const LayersSideBySide sides(crosscoder, store);
    const at::Tensor codes = codes_of(sides.crosscoder(), sides.rows(), {0, 1, 2, 3, 4, 5, 6, 7});
    ASSERT_GT(codes.count_nonzero().item<int64_t>(), 0);
    RowReader reader(base, target, layers, is_special, 0);
    for (int64_t latent = 0; latent < 8; ++latent) {
      std::vector<double> expected(texts.size(), 0.0);
      for (int64_t row = 0; row < store.num_rows(); ++row) {
        double& of_text = expected[static_cast<size_t>(store.place(row).text)];
        of_text = std::max(of_text, codes[row][latent].item<double>());
      }
      const std::vector<double> largest = LatentReader{reader, sides, store.info()}.largest(texts, latent);
      for (size_t i = 0; i < texts.size(); ++i) EXPECT_NEAR(largest[i], expected[i], 1e-2) << latent;
    }
  }
}

}  // namespace
}  // namespace fi
