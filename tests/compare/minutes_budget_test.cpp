#include "fi/compare/minutes_budget.h"

#include <gtest/gtest.h>

#include "fi/compare/options.h"
#include "fi/core/error.h"

namespace fi {
namespace {

TEST(MinutesBudget, ReadsMinutesAndALevel) {
  EXPECT_EQ(minutes_budget_from("10")->minutes, 10.0);
  EXPECT_FALSE(minutes_budget_from("7.5")->level);
  EXPECT_EQ(*minutes_budget_from("10@-0.25")->level, -0.25);
  EXPECT_EQ(to_text(*minutes_budget_from("10@1.25")), "10@1.25");
  EXPECT_EQ(to_text(*minutes_budget_from("7.5")), "7.5");
  for (const char* text : {"0.000001", "0.123456", "100", "9999.5@2.00"}) EXPECT_EQ(to_text(*minutes_budget_from(text)), text);
}

TEST(MinutesBudget, RefusesWhatIsNone) {
  for (const char* text : {"", "fast", "0", "-3", "nan", "inf", "1e3", "10 ", " 10", "10m", "10@", "@1", "10@3", "10@-2",
                           "10@nan", "10@1@1", "1000000", "0x10"}) {
    EXPECT_FALSE(minutes_budget_from(text)) << text;
    CompareOptions options;
    options.budget = text;
    EXPECT_THROW(validate(options), Error) << text;
  }
}

TEST(MinutesBudget, WholeLevelsAreTheNamedBudgets) {
  for (const auto& [level, name] : {std::pair{0.0, "quick"}, std::pair{1.0, "standard"}, std::pair{2.0, "thorough"}}) {
    const Budget at = budget_at(level), named = budget_named(name);
    EXPECT_EQ(at.discovery, named.discovery) << name;
    EXPECT_EQ(at.second_look, named.second_look) << name;
    EXPECT_EQ(at.confirmation, named.confirmation) << name;
    EXPECT_EQ(at.max_confirmation_prompts, named.max_confirmation_prompts) << name;
    EXPECT_EQ(at.max_new_tokens, named.max_new_tokens) << name;
    EXPECT_EQ(at.texts_per_causal_test, named.texts_per_causal_test) << name;
    EXPECT_EQ(at.crosscoder_tokens, named.crosscoder_tokens) << name;
    EXPECT_EQ(at.crosscoder_steps, named.crosscoder_steps) << name;
  }
}

TEST(MinutesBudget, AHigherLevelLooksAtNoLess) {
  for (double level = kSmallestLevel; level < kLargestLevel; level += 0.05) {
    const Budget low = budget_at(level), high = budget_at(level + 0.05);
    EXPECT_LE(low.discovery, high.discovery) << level;
    EXPECT_LE(low.discovery + low.second_look, high.discovery + high.second_look) << level;
    EXPECT_LE(low.max_confirmation_prompts, high.max_confirmation_prompts) << level;
    EXPECT_LE(low.max_new_tokens, high.max_new_tokens) << level;
    EXPECT_LE(low.max_localised_claims, high.max_localised_claims) << level;
    EXPECT_LE(low.crosscoder_tokens, high.crosscoder_tokens) << level;
    EXPECT_GE(low.second_look, 0) << level;
  }
}

TEST(MinutesBudget, TheLargestLevelThatFitsIsFound) {
  const auto cost = [](double level) { return 100.0 + 50.0 * level; };
  EXPECT_DOUBLE_EQ(largest_level_within(125.0, cost), 0.5);
  EXPECT_DOUBLE_EQ(largest_level_within(124.9, cost), 0.49);
  EXPECT_DOUBLE_EQ(largest_level_within(1e9, cost), kLargestLevel);
  EXPECT_DOUBLE_EQ(largest_level_within(1.0, cost), kSmallestLevel);
}

TEST(MinutesBudget, OptionsOverrideIt) {
  CompareOptions options;
  options.budget = "10@0.00";
  EXPECT_EQ(budget_of(options).max_new_tokens, budget_named("quick").max_new_tokens);
  options.max_new_tokens = 7;
  options.layers = "3";
  EXPECT_EQ(budget_of(options).max_new_tokens, 7);
  EXPECT_EQ(budget_of(options).crosscoder_tokens, Budget().crosscoder_tokens);
}

}  // namespace
}  // namespace fi
