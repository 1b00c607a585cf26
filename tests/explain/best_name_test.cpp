#include <gtest/gtest.h>

#include <algorithm>

#include "fi/core/random.h"
#include "fi/explain/best_name.h"

namespace fi {
namespace {

const std::vector<NameHypothesis> kHypotheses = {
    {"sums", {"sums"}, ""}, {"tea or sums", {"tea", "sums"}, ""}, {"tea", {"tea"}, ""}};

std::vector<TextActivation> texts(double on_sums, double noise, uint64_t seed) {
  Random random(seed);
  std::vector<TextActivation> all;
  for (int i = 0; i < 60; ++i) {
    const std::string category = i % 3 == 0 ? "sums" : i % 3 == 1 ? "tea" : "maps";
    all.push_back({category, (category == "sums" ? on_sums : 0.0) + noise * random.normal(), nullptr});
  }
  return all;
}

TEST(BestName, NamesWhatFiresOnOneCategory) {
  const auto name = best_name(texts(5.0, 0.5, 1), texts(5.0, 0.5, 2), kHypotheses, 0);
  ASSERT_TRUE(name);
  EXPECT_EQ(name->words, "sums");
  EXPECT_DOUBLE_EQ(name->score, 1.0);
  EXPECT_LT(name->shuffled, 0.7);
  EXPECT_DOUBLE_EQ(name->high, 1.0);
  EXPECT_GT(name->low, 0.85);
  EXPECT_LT(name->low, 1.0);
  EXPECT_TRUE(passes_bar(*name));
  EXPECT_EQ(name->num_inside, 20);
  EXPECT_EQ(name->num_outside, 40);
}

// Of many draws of two rates, the interval holds the true mean of both in about 95%.
TEST(BalancedAccuracy, IntervalHoldsTheTruthInAbout95Percent) {
  Random random(11);
  const double found = 0.9, left = 0.7;
  int held = 0;
  for (int draw = 0; draw < 2000; ++draw) {
    int hits = 0, rejections = 0;
    for (int i = 0; i < 25; ++i) hits += random.uniform() < found ? 1 : 0;
    for (int i = 0; i < 40; ++i) rejections += random.uniform() < left ? 1 : 0;
    const Interval interval = balanced_accuracy_interval(hits, 25, rejections, 40);
    held += interval.low <= 0.8 && 0.8 <= interval.high ? 1 : 0;
  }
  EXPECT_GT(held, 1860);
  EXPECT_LT(held, 1950);
}

TEST(BestName, NoiseStaysUnnamed) {
  int named = 0;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const auto name = best_name(texts(0.0, 1.0, 100 + seed), texts(0.0, 1.0, 900 + seed), kHypotheses, seed);
    ASSERT_TRUE(name);
    named += passes_bar(*name) ? 1 : 0;
  }
  EXPECT_LE(named, 1);
}

TEST(BestName, IsScoredOnTextsItWasNotChosenOn) {
  const auto name = best_name(texts(5.0, 0.5, 1), texts(0.0, 1.0, 2), kHypotheses, 0);
  ASSERT_TRUE(name);
  EXPECT_LT(name->score, kNamingBar);
  EXPECT_FALSE(passes_bar(*name));
}

TEST(BestName, MayBeABehaviourThatNoCategoryStandsFor) {
  const std::set<std::string> verse = {"verse", "rhyme"}, prose = {"prose"};
  Random random(3);
  std::vector<TextActivation> fit, held_out;
  for (int i = 0; i < 120; ++i) {
    const bool in_verse = i % 5 < 2;
    (i % 2 == 0 ? fit : held_out)
        .push_back({i % 3 == 0 ? "tea" : "maps", (in_verse ? 4.0 : 0.0) + random.normal(), in_verse ? &verse : &prose});
  }
  const std::vector<NameHypothesis> hypotheses = {{"tea", {"tea"}, ""},
                                                  {"answers in verse", {}, "verse"},
                                                  {"answers in prose", {}, "prose"},
                                                  {"answers that rhyme", {}, "rhyme"}};
  const auto name = best_name(fit, held_out, hypotheses, 0);
  ASSERT_TRUE(name && passes_bar(*name));
  EXPECT_EQ(name->words, "answers in verse");  // of equally good ones the first
  EXPECT_GT(name->score, 0.9);
}

TEST(BestName, IsNotWhatIsTrueOfMostTexts) {
  const std::set<std::string> english_verse = {"english", "verse"}, english = {"english"}, odd = {"odd"};
  std::vector<TextActivation> texts;
  for (int i = 0; i < 60; ++i) {
    const bool fires = i % 2 == 0, is_odd = i >= 56;  // four odd texts that never fire
    texts.push_back({"any", !is_odd && (fires || i % 4 == 1) ? 4.0 : 0.0, is_odd ? &odd : fires ? &english_verse : &english});
  }
  const std::vector<NameHypothesis> hypotheses = {
      {"answers in English", {}, "english"}, {"odd answers", {}, "odd"}, {"answers in verse", {}, "verse"}};
  const auto name = best_name(texts, texts, hypotheses, 0);
  ASSERT_TRUE(name);
  EXPECT_EQ(name->words, "answers in verse");
}

// Against the definition: the threshold between two neighbouring values that tells most of the fitted texts apart.
TEST(BestName, SplitsWhereTheFittedTextsAreToldApartBest) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const std::vector<TextActivation> fit = texts(1.0, 1.0, 2 * seed), held_out = texts(1.0, 1.0, 2 * seed + 1);
    const auto accuracy = [](const std::vector<TextActivation>& all, double threshold) {
      double hits = 0.0, rejections = 0.0;
      for (const TextActivation& text : all) {
        hits += text.category == "sums" && text.value > threshold ? 1.0 / 20 : 0.0;
        rejections += text.category != "sums" && text.value <= threshold ? 1.0 / 40 : 0.0;
      }
      return (hits + rejections) / 2;
    };
    std::vector<double> values;
    for (const TextActivation& text : fit) values.push_back(text.value);
    std::ranges::sort(values);
    double best = values.front() - 1.0;
    for (size_t i = 0; i + 1 < values.size(); ++i) {
      const double middle = 0.5 * (values[i] + values[i + 1]);
      if (accuracy(fit, middle) > accuracy(fit, best) + 1e-12) best = middle;
    }
    const auto name = best_name(fit, held_out, {{"sums", {"sums"}, ""}}, 0);
    ASSERT_TRUE(name);
    EXPECT_NEAR(name->score, accuracy(held_out, best), 1e-12);
  }
}

TEST(BestName, NeedsTextsInsideAndOutside) {
  EXPECT_FALSE(best_name(texts(5.0, 0.5, 1), texts(5.0, 0.5, 2), {{"all", {"sums", "tea", "maps"}, ""}}, 0));
  EXPECT_FALSE(best_name({{"sums", 1.0, nullptr}}, {{"sums", 1.0, nullptr}}, kHypotheses, 0));
  EXPECT_FALSE(best_name({}, {}, kHypotheses, 0));
}

}  // namespace
}  // namespace fi
