#include "fi/compare/baseline_notes.h"

#include <gtest/gtest.h>

#include "fi/core/error.h"

namespace fi {
namespace {

Json row(const char* method, int64_t num_directions, double kl_removed) {
  return {{"method", method},
          {"num_directions", num_directions},
          {"kl_removed", kl_removed},
          {"ci_low", kl_removed - 0.1},
          {"ci_high", kl_removed + 0.1},
          {"kl_per_direction", kl_removed / static_cast<double>(num_directions)},
          {"discrimination", 0.875}};
}

TEST(BaselineNotes, SayWhereTheSimpleMethodWins) {
  const Json rows =
      Json::array({row("difference in means", 1, 0.5), row("PCA of the difference", 1, 0.4), row("PCA of the difference", 4, 0.6),
                   row("crosscoder latents", 1, 0.3), row("crosscoder latents", 4, 0.7), row("whole residual stream", 64, 1.0)});
  EXPECT_EQ(baselines_sentence(rows),
            "A simple method does better than the crosscoder at 1 of 2 numbers of directions: 1 latent removes 30% of the KL, "
            "difference in means in 1 direction 50%; 4 latents remove 70% of the KL, PCA of the difference in 4 directions 60%.");
}

TEST(BaselineNotes, SayWhereItWinsAlways) {
  const Json rows = Json::array({row("PCA of the difference", 4, 0.6), row("crosscoder latents", 4, 0.05)});
  EXPECT_EQ(
      baselines_sentence(rows),
      "A simple method does better than the crosscoder at every number of directions: 4 latents remove 5.0% of the KL, PCA of "
      "the difference in 4 directions 60%.");
}

TEST(BaselineNotes, SayThatNoCrosscoderTookPart) {
  const Json rows =
      Json::array({row("difference in means", 1, 0.25), row("PCA of the difference", 4, 0.5), row("random subspace", 32, 0.9)});
  EXPECT_EQ(
      baselines_sentence(rows),
      "No crosscoder was trained at this layer; of the simple methods PCA of the difference removes the most of the KL: 50% in 4 "
      "directions.");
  EXPECT_EQ(baselines_sentence(Json::array()), "");
}

TEST(BaselineNotes, ShowEveryRow) {
  const Json notes = baseline_notes(Json::array({row("PCA of the difference", 4, 0.5)}));
  EXPECT_EQ(notes.at("PCA of the difference, 4 directions"),
            "50% of the KL (40% to 60%), 12% a direction; tells prompts apart 0.88");
  EXPECT_TRUE(notes.contains("result") && notes.contains("measured"));
}

TEST(BaselineNotes, RefuseADamagedDocument) {
  EXPECT_THROW(baseline_notes({{{"method", "PCA of the difference"}}}), Error);
  EXPECT_THROW(baseline_notes({{{"method", 3}}}), Error);
}

}  // namespace
}  // namespace fi
