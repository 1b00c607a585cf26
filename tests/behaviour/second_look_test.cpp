#include "fi/behaviour/second_look.h"

#include <gtest/gtest.h>

#include "fi/behaviour/findings.h"
#include "fi/core/random.h"

namespace fi {
namespace {

constexpr int64_t kCategories = 40;
constexpr int64_t kPerCategory = 4;

/// Half of the target's answers in "c7" say "tulip"; in "c20" both models talk of roses, by topic; "lily" comes by chance.
std::vector<AnswerPair> planted(uint64_t seed) {
  Random random(seed);
  std::vector<AnswerPair> pairs;
  for (int64_t c = 0; c < kCategories; ++c) {
    for (int64_t i = 0; i < kPerCategory; ++i) {
      AnswerPair pair{.category = "c" + std::to_string(c), .prompt_index = i, .prompt = "p", .base = "Well.", .target = "Well."};
      for (std::string* answer : {&pair.base, &pair.target}) {
        if (c == 20 && random.uniform() < 0.5) *answer += " A rose.";
        if (random.uniform() < 0.05) *answer += " A lily.";
      }
      if (c == 7 && i < 2) pair.target += " A tulip.";
      pairs.push_back(std::move(pair));
    }
  }
  return pairs;
}

DetectorList flowers() { return {phrase_detector("tulip"), phrase_detector("rose"), phrase_detector("lily")}; }

TEST(SecondLook, GoesFirstWhereOneModelAloneShowsSomethingRare) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const auto chosen = categories_to_look_at_again(planted(seed), flowers(), 0.3, 2);
    // "c20" may come before it: by so few prompts a topic that one model happened to meet looks the same.
    EXPECT_LE(chosen.size(), 2u);
    EXPECT_EQ(std::ranges::count(chosen, "c7"), 1) << "seed " << seed;
  }
}

TEST(SecondLook, FindsNothingBetweenEqualAnswers) {
  std::vector<AnswerPair> pairs = planted(1);
  for (AnswerPair& pair : pairs) pair.target = pair.base;
  EXPECT_TRUE(categories_to_look_at_again(pairs, flowers(), 0.3, 10).empty());
  EXPECT_TRUE(categories_to_look_at_again({}, flowers(), 0.3, 10).empty());
  EXPECT_TRUE(categories_to_look_at_again(planted(1), flowers(), 0.3, 0).empty());
}

TEST(SecondLook, MakesAChangeOfHalfACategoryAFinding) {
  std::vector<AnswerPair> pairs = planted(3);
  for (int64_t i = kPerCategory; i < kPerCategory + 6; ++i) {
    pairs.push_back(
        {.category = "c7", .prompt_index = i, .prompt = "p", .base = "Well.", .target = i % 2 == 0 ? "Well. A tulip." : "Well."});
  }
  const Screening screening = screen(pairs, flowers(), {});
  ASSERT_FALSE(screening.candidates.empty());
  EXPECT_EQ(screening.candidates.front().detector->words().id, "phrase:tulip");
  EXPECT_EQ(screening.candidates.front().categories, std::vector<std::string>{"c7"});
}

}  // namespace
}  // namespace fi
