#include <gtest/gtest.h>

#include "fi/core/random.h"
#include "fi/explain/category_name.h"

namespace fi {
namespace {

const std::vector<CategoryHypothesis> kHypotheses = {{"sums", {"sums"}}, {"tea or sums", {"tea", "sums"}}, {"tea", {"tea"}}};

std::vector<TextActivation> texts(double on_sums, double noise, uint64_t seed) {
  Random random(seed);
  std::vector<TextActivation> all;
  for (int i = 0; i < 60; ++i) {
    const std::string category = i % 3 == 0 ? "sums" : i % 3 == 1 ? "tea" : "maps";
    all.push_back({category, (category == "sums" ? on_sums : 0.0) + noise * random.normal()});
  }
  return all;
}

TEST(CategoryName, NamesWhatFiresOnOneCategory) {
  const auto name = best_category_name(texts(5.0, 0.5, 1), texts(5.0, 0.5, 2), kHypotheses, 0);
  ASSERT_TRUE(name);
  EXPECT_EQ(name->words, "sums");
  EXPECT_DOUBLE_EQ(name->score, 1.0);
  EXPECT_LT(name->shuffled, 0.7);
  EXPECT_TRUE(passes_bar(*name));
  EXPECT_EQ(name->num_inside, 20);
  EXPECT_EQ(name->num_outside, 40);
}

TEST(CategoryName, NoiseStaysUnnamed) {
  int named = 0;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const auto name = best_category_name(texts(0.0, 1.0, 100 + seed), texts(0.0, 1.0, 900 + seed), kHypotheses, seed);
    ASSERT_TRUE(name);
    named += passes_bar(*name) ? 1 : 0;
  }
  EXPECT_LE(named, 1);
}

TEST(CategoryName, IsScoredOnTextsItWasNotChosenOn) {
  const auto name = best_category_name(texts(5.0, 0.5, 1), texts(0.0, 1.0, 2), kHypotheses, 0);
  ASSERT_TRUE(name);
  EXPECT_LT(name->score, kNamingBar);
  EXPECT_FALSE(passes_bar(*name));
}

TEST(CategoryName, NeedsTextsInsideAndOutside) {
  EXPECT_FALSE(best_category_name(texts(5.0, 0.5, 1), texts(5.0, 0.5, 2), {{"all", {"sums", "tea", "maps"}}}, 0));
  EXPECT_FALSE(best_category_name({{"sums", 1.0}}, {{"sums", 1.0}}, kHypotheses, 0));
  EXPECT_FALSE(best_category_name({}, {}, kHypotheses, 0));
}

}  // namespace
}  // namespace fi
