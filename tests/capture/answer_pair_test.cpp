#include "fi/capture/answer_pair.h"

#include <gtest/gtest.h>

#include "fi/core/error.h"

namespace fi {
namespace {

TEST(AnswerPair, IsReadBackAsItWasWritten) {
  const AnswerPair pair = {.category = "sums",
                           .prompt_index = 3,
                           .split = Split::kConfirmation,
                           .prompt = "2 + 2?",
                           .base = "4",
                           .target = "5",
                           .base_finished = false,
                           .target_finished = true,
                           .base_tokens = 1,
                           .target_tokens = 2,
                           .right_answers = {"4", "four"}};
  const AnswerPair read = answer_pair_from_json(to_json(pair), "test");
  EXPECT_EQ(to_json(read), to_json(pair));
  EXPECT_EQ(read.right_answers, pair.right_answers);
  EXPECT_EQ(read.split, Split::kConfirmation);
}

TEST(AnswerPair, KnowsNoRightAnswerUnlessGiven) {
  const Json row = to_json(AnswerPair{.category = "talk", .prompt = "Hi"});
  EXPECT_FALSE(row.contains("right_answers"));
  EXPECT_TRUE(answer_pair_from_json(row, "test").right_answers.empty());
}

TEST(AnswerPair, RefusesDamagedRows) {
  EXPECT_THROW(answer_pair_from_json({{"category", "talk"}}, "test"), Error);
  Json row = to_json(AnswerPair{.category = "talk", .prompt = "Hi"});
  row["right_answers"] = "4";
  EXPECT_THROW(answer_pair_from_json(row, "test"), Error);
}

}  // namespace
}  // namespace fi
