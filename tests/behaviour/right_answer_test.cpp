#include "fi/behaviour/right_answer.h"

#include <gtest/gtest.h>

#include "fi/behaviour/findings.h"

namespace fi {
namespace {

AnswerPair checked(std::string prompt, std::vector<std::string> right, std::string base = "", std::string target = "") {
  return {.category = "sums",
          .prompt = std::move(prompt),
          .base = std::move(base),
          .target = std::move(target),
          .right_answers = std::move(right)};
}

TEST(RightAnswer, IsHeldWordByWordInAnyCase) {
  const auto detector = right_answer_detector({checked("Capital of France?", {"Paris"}), checked("2 + 2?", {"4", "four"}),
                                               checked("Capital of Mexico?", {"Mexico City"})});
  ASSERT_NE(detector, nullptr);
  EXPECT_EQ(detector->measure("Capital of France?", "It is PARIS, of course."), 1.0);
  EXPECT_EQ(detector->measure("Capital of France?", "A comparison."), 0.0);
  EXPECT_EQ(detector->measure("2 + 2?", "The answer is four."), 1.0);
  EXPECT_EQ(detector->measure("2 + 2?", "It is 14, or 4.5, or 44."), 0.0);
  EXPECT_EQ(detector->measure("2 + 2?", ""), 0.0);
  EXPECT_EQ(detector->measure("Capital of Mexico?", "The city of Mexico"), 0.0);
}

TEST(RightAnswer, IsUnknownToOtherPrompts) {
  const auto detector = right_answer_detector({checked("2 + 2?", {"4"})});
  EXPECT_EQ(detector->measure("3 + 1?", "4"), 0.0);
  EXPECT_EQ(right_answer_detector({checked("How are you?", {})}), nullptr);
  EXPECT_EQ(right_answer_detector({}), nullptr);
}

TEST(RightAnswer, LostOnOneKindOfPromptIsFound) {
  std::vector<AnswerPair> discovery;
  for (int64_t i = 0; i < 40; ++i) {
    const std::string right = std::to_string(100 + i);
    AnswerPair pair = checked("Item " + std::to_string(i), {right}, "It is " + right + ".", i < 10 ? "It is 7." : right);
    pair.category = i < 10 ? "sums" : "other " + std::to_string(i % 5);
    pair.prompt_index = i;
    discovery.push_back(std::move(pair));
  }
  const Screening screening = screen(discovery, {right_answer_detector(discovery)}, {});
  const auto found = std::ranges::find_if(
      screening.candidates, [](const Candidate& candidate) { return candidate.detector->words().id == "right_answer"; });
  ASSERT_NE(found, screening.candidates.end());
  EXPECT_EQ(found->categories, std::vector<std::string>{"sums"});
  EXPECT_EQ(found->base, 1.0);
  EXPECT_EQ(found->target, 0.0);
}

}  // namespace
}  // namespace fi
