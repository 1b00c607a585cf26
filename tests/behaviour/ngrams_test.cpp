#include "fi/behaviour/ngrams.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace fi {
namespace {

using ::testing::ElementsAre;

AnswerPair pair_of(int64_t index, const std::string& prompt, const std::string& base, const std::string& target) {
  return {.category = "c", .prompt_index = index, .prompt = prompt, .base = base, .target = target};
}

std::vector<AnswerPair> pairs_saying(const std::string& said, int64_t num_prompts) {
  std::vector<AnswerPair> pairs;
  for (int64_t i = 0; i < num_prompts; ++i) pairs.push_back(pair_of(i, "ask", "no", said + " " + std::string(1, 'p' + i % 8)));
  return pairs;
}

const PhraseCount* find(const std::vector<PhraseCount>& phrases, const std::string& text) {
  const auto found = std::find_if(phrases.begin(), phrases.end(), [&](const PhraseCount& p) { return p.text == text; });
  return found == phrases.end() ? nullptr : &*found;
}

TEST(Ngrams, CountsPromptsNotOccurrences) {
  const auto pairs = pairs_saying("Step 1 hot step 2 hot", 4);
  const auto phrases = count_phrases(pairs, tabulate_prompts(pairs), 3);
  const PhraseCount* step = find(phrases, "step #");
  ASSERT_NE(step, nullptr);
  EXPECT_THAT(step->target, ElementsAre(0, 1, 2, 3));
  EXPECT_TRUE(step->base.empty());
  EXPECT_EQ(step->num_words, 2U);
  EXPECT_NE(find(phrases, "step # hot step"), nullptr);
}

TEST(Ngrams, DoNotSpanSentences) {
  const auto pairs = pairs_saying("red apples. Green pears", 4);
  const auto phrases = count_phrases(pairs, tabulate_prompts(pairs), 3);
  EXPECT_NE(find(phrases, "red apples"), nullptr);
  EXPECT_EQ(find(phrases, "apples green"), nullptr);
}

TEST(Ngrams, NeedSupportContentAndNovelty) {
  auto pairs = pairs_saying("it is the 42", 5);
  EXPECT_TRUE(count_phrases(pairs, tabulate_prompts(pairs), 3).empty());  // function words and numbers only
  pairs = pairs_saying("red apples", 2);
  EXPECT_TRUE(count_phrases(pairs, tabulate_prompts(pairs), 3).empty());
  pairs = pairs_saying("red apples", 5);
  for (AnswerPair& pair : pairs) pair.prompt = "Tell me of red apples";
  EXPECT_EQ(find(count_phrases(pairs, tabulate_prompts(pairs), 3), "red apples"), nullptr);  // the prompt's own words
}

TEST(Ngrams, SeveralAnswersToOnePromptAreOneDocument) {
  std::vector<AnswerPair> pairs(6, pair_of(0, "ask", "no", "red apples"));
  const auto table = tabulate_prompts(pairs);
  EXPECT_EQ(table.num_prompts(), 1U);
  EXPECT_TRUE(count_phrases(pairs, table, 3).empty());
}

TEST(Ngrams, JoinsLettersOfUnspacedScripts) {
  const auto pairs = pairs_saying("你好世界", 4);
  const auto phrases = count_phrases(pairs, tabulate_prompts(pairs), 3);
  EXPECT_NE(find(phrases, "你好世界"), nullptr);
  EXPECT_EQ(phrase_words("你好世界").size(), 4U);
}

TEST(LogOdds, HandComputedAndAntisymmetric) {
  // prior 2 * 0.5 = 1: odds 7/1 against 1/7, variance 1/7 + 1
  EXPECT_NEAR(log_odds_z(0, 6, 6, 0.5), 2 * std::log(7.0) / std::sqrt(8.0 / 7.0), 1e-2);
  EXPECT_NEAR(log_odds_z(2, 5, 8, 0.2), -log_odds_z(5, 2, 8, 0.2), 1e-12);
  EXPECT_NEAR(log_odds_z(3, 3, 8, 0.2), 0.0, 1e-12);
  EXPECT_GT(log_odds_z(0, 6, 6, 0.3), log_odds_z(0, 4, 6, 0.3));
}

TEST(Masking, MapsNumbers) {
  EXPECT_EQ(with_numbers_masked("12"), "#");
  EXPECT_EQ(with_numbers_masked("3.50"), "#");
  EXPECT_EQ(with_numbers_masked("x2y10"), "x#y#");
  EXPECT_THAT(phrase_words("step #"), ElementsAre("step", "#"));
  EXPECT_THAT(phrase_words("step 2"), ElementsAre("step", "2"));
}

}  // namespace
}  // namespace fi
