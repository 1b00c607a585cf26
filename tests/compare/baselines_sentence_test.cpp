#include "fi/compare/baselines_sentence.h"

#include <gtest/gtest.h>

namespace fi {
namespace {

BaselineRow row(const char* method, int64_t num_directions, double kl_removed) {
  return {.method = method, .num_directions = num_directions, .kl_removed = kl_removed};
}

TEST(BaselinesSentence, SaysWhereTheSimpleMethodWins) {
  const std::vector<BaselineRow> rows = {row("difference in means", 1, 0.5),   row("PCA of the difference", 1, 0.4),
                                         row("PCA of the difference", 4, 0.6), row("crosscoder latents", 1, 0.3),
                                         row("crosscoder latents", 4, 0.7),    row("whole residual stream", 64, 1.0)};
  EXPECT_EQ(baselines_sentence(rows),
            "A simple method does better than the crosscoder at 1 of 2 numbers of directions: 1 latent removes 30% of the KL, "
            "difference in means in 1 direction 50%; 4 latents remove 70% of the KL, PCA of the difference in 4 directions 60%.");
}

TEST(BaselinesSentence, SaysWhatAnSaeOnTheDifferenceRemoves) {
  const std::vector<BaselineRow> rows = {row("PCA of the difference", 4, 0.6), row("difference SAE latents", 1, 0.2),
                                         row("difference SAE latents", 4, 0.55), row("crosscoder latents", 4, 0.7)};
  EXPECT_EQ(
      baselines_sentence(rows),
      "The crosscoder does better than the simple methods at every number of directions: 4 latents remove 70% of the KL, PCA "
      "of the difference in 4 directions 60%. An SAE on the difference removes 20% with 1 latent, 55% with 4 latents.");
}

TEST(BaselinesSentence, SaysWhereItWinsAlways) {
  const std::vector<BaselineRow> rows = {row("PCA of the difference", 4, 0.6), row("crosscoder latents", 4, 0.05)};
  EXPECT_EQ(
      baselines_sentence(rows),
      "A simple method does better than the crosscoder at every number of directions: 4 latents remove 5.0% of the KL, PCA of "
      "the difference in 4 directions 60%.");
}

TEST(BaselinesSentence, SaysThatNoCrosscoderTookPart) {
  const std::vector<BaselineRow> rows = {row("difference in means", 1, 0.25), row("PCA of the difference", 4, 0.5),
                                         row("random subspace", 32, 0.9)};
  EXPECT_EQ(
      baselines_sentence(rows),
      "No crosscoder was trained at this layer; of the simple methods PCA of the difference removes the most of the KL: 50% in 4 "
      "directions.");
  EXPECT_EQ(baselines_sentence({}), "");
}

}  // namespace
}  // namespace fi
