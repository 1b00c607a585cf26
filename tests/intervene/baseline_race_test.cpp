#include "fi/intervene/baseline_race.h"

#include <gtest/gtest.h>

#include "fi/core/error.h"
#include "tests/tiny_models.h"

namespace fi {
namespace {

/// A tiny model and a copy whose middle block also writes along one direction.
struct RacePair {
  Decoder base = load_tiny();
  int64_t width = base.config().d_model;
  at::Tensor direction = at::zeros({width}).index_fill_(0, at::tensor({5}, at::kLong), 1.0);
  Decoder target = with_written_direction(base, 1, direction, 3.0);
  RaceTexts texts{.trigger = random_texts(12, base.config().vocab_size, 21),
                  .elsewhere = random_texts(12, base.config().vocab_size, 22)};
  std::vector<Contestant> contestants{{"planted", {direction.unsqueeze(1)}},
                                      {"random subspace", random_subspace(width, 1, 3, 0)},
                                      {"whole residual stream", {at::eye(width)}}};

  std::vector<RaceRow> race(const Decoder& other) const {
    return race_subspaces(base, other, /*layer=*/1, contestants, texts, /*seed=*/1, silent_progress());
  }
};

TEST(BaselineRace, AreaUnderTheCurveOfSmallSamples) {
  EXPECT_EQ(area_under_curve({3.0, 4.0}, {1.0, 2.0}), 1.0);
  EXPECT_EQ(area_under_curve({1.0, 2.0}, {3.0, 4.0}), 0.0);
  EXPECT_EQ(area_under_curve({1.0, 3.0}, {2.0, 1.0}), 0.625);  // above, equal (a half), above, below of four
  EXPECT_EQ(area_under_curve({}, {1.0}), 0.5);
}

TEST(BaselineRace, ThePlantedDirectionAndTheWholeStreamRemoveAllOfTheKl) {
  const std::vector<RaceRow> rows = RacePair().race(RacePair().target);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].num_directions, 1);
  EXPECT_NEAR(rows[0].kl_removed, 1.0, 1e-3);
  EXPECT_LT(rows[1].kl_removed, 0.6);
  EXPECT_NEAR(rows[2].kl_removed, 1.0, 1e-3);
  EXPECT_NEAR(rows[2].kl_per_direction(), rows[2].kl_removed / static_cast<double>(RacePair().width), 1e-9);
  EXPECT_GT(rows[0].interval.low, 0.5);  // every text loses all of it: certain, whatever each has to lose
  EXPECT_LT(rows[0].interval.high, 1.01);
  for (const RaceRow& row : rows) {
    EXPECT_LE(row.interval.low, row.kl_removed + 1e-9) << row.method;
    EXPECT_GE(row.interval.high, row.kl_removed - 1e-9) << row.method;
  }
}

TEST(BaselineRace, ADifferenceOfEveryTextTellsNoneApart) {
  // The direction is written after every token, so the size of the difference is the same everywhere.
  const std::vector<RaceRow> rows = RacePair().race(RacePair().target);
  EXPECT_NEAR(rows[0].discrimination, 0.5, 0.35);
}

TEST(BaselineRace, EqualModelsDoNotRace) { EXPECT_TRUE(RacePair().race(RacePair().base).empty()); }

TEST(BaselineRace, WithoutTextsThereIsNothingToRaceOn) {
  RacePair pair;
  pair.texts.trigger.clear();
  EXPECT_THROW(pair.race(pair.target), Error);
}

}  // namespace
}  // namespace fi
