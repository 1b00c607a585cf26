#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <ranges>

#include "fi/core/error.h"
#include "fi/prompts/prompt_set.h"

namespace fi {
namespace {

constexpr int64_t kNoCap = 1'000'000;

PromptCategory category_of(int64_t num_prompts, const std::string& id = "birds") {
  PromptCategory category{.id = id, .title = id};
  for (int64_t i = 0; i < num_prompts; ++i) category.prompts.push_back(std::to_string(i));
  return category;
}

std::vector<int64_t> sorted_union(const PromptSplit& split) {
  std::vector<int64_t> all = split.discovery;
  all.insert(all.end(), split.confirmation.begin(), split.confirmation.end());
  std::ranges::sort(all);
  return all;
}

TEST(SplitPrompts, UsesEveryPromptOnce) {
  for (int64_t count = 0; count < 60; ++count) {
    std::vector<int64_t> expected(static_cast<size_t>(count));
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(sorted_union(split_prompts(category_of(count), 5, kNoCap, kNoCap)), expected) << count;
  }
}

TEST(SplitPrompts, DiscoversOnAboutAQuarter) {
  const auto num_discovery = [](int64_t count) { return split_prompts(category_of(count), 1, kNoCap, kNoCap).discovery.size(); };
  EXPECT_EQ(num_discovery(0), 0u);
  EXPECT_EQ(num_discovery(1), 0u);
  EXPECT_EQ(num_discovery(2), 1u);
  EXPECT_EQ(num_discovery(3), 1u);
  EXPECT_EQ(num_discovery(7), 2u);
  EXPECT_EQ(num_discovery(24), 6u);
  EXPECT_EQ(num_discovery(100), 25u);
}

TEST(SplitPrompts, CapsCutButNeverMove) {
  const PromptCategory category = category_of(40);
  const PromptSplit full = split_prompts(category, 9, kNoCap, kNoCap);
  for (int64_t cap = 0; cap <= 31; ++cap) {
    const PromptSplit capped = split_prompts(category, 9, cap, cap);
    EXPECT_TRUE(std::ranges::equal(capped.discovery, full.discovery | std::views::take(cap))) << cap;
    EXPECT_TRUE(std::ranges::equal(capped.confirmation, full.confirmation | std::views::take(cap))) << cap;
  }
  EXPECT_THROW(split_prompts(category, 9, -1, 4), Error);
  EXPECT_THROW(split_prompts(category, 9, 4, -1), Error);
}

TEST(SplitPrompts, IgnoresNeighbours) {
  const Json alone = Json::parse(R"({"birds": ["a", "b", "c", "d", "e", "f", "g", "h"]})");
  const Json second =
      Json::parse(R"({"fish": ["x", "y", "z", "w", "v"], "birds": ["a", "b", "c", "d", "e", "f", "g", "h"], "ants": ["q"]})");
  const auto first = split_prompts(prompts_from_json(alone, "x").category("birds"), 3, kNoCap, kNoCap);
  const auto again = split_prompts(prompts_from_json(second, "x").category("birds"), 3, kNoCap, kNoCap);
  EXPECT_EQ(first.discovery, again.discovery);
  EXPECT_EQ(first.confirmation, again.confirmation);
}

TEST(SplitPrompts, DependsOnSeedAndId) {
  const auto order = [](uint64_t seed, const std::string& id) {
    return split_prompts(category_of(40, id), seed, kNoCap, kNoCap).confirmation;
  };
  EXPECT_EQ(order(1, "birds"), order(1, "birds"));
  EXPECT_NE(order(1, "birds"), order(2, "birds"));
  EXPECT_NE(order(1, "birds"), order(1, "fish"));
}

// Results that people publish name a seed: the split behind it must not change between versions.
TEST(SplitPrompts, KeepsItsNumbers) {
  const PromptSplit split = split_prompts(category_of(8, "birds"), 0, kNoCap, kNoCap);
  EXPECT_THAT(split.discovery, testing::ElementsAre(4, 3));
  EXPECT_THAT(split.confirmation, testing::ElementsAre(6, 0, 2, 5, 7, 1));
}

TEST(SplitPrompts, PicksEveryPromptAboutEquallyOften) {
  std::vector<int> picked(8);
  for (uint64_t seed = 0; seed < 4000; ++seed) {
    for (const int64_t index : split_prompts(category_of(8), seed, kNoCap, kNoCap).discovery)
      ++picked[static_cast<size_t>(index)];
  }
  for (const int count : picked) EXPECT_NEAR(count, 1000, 140);  // five standard deviations
}

}  // namespace
}  // namespace fi
