#include "fi/core/statistics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "fi/core/error.h"
#include "fi/core/random.h"

namespace fi {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using Values = std::vector<double>;

std::vector<int64_t> own_clusters(size_t n) {
  std::vector<int64_t> ids(n);
  std::iota(ids.begin(), ids.end(), int64_t{0});
  return ids;
}

TEST(SignFlip, HandComputedConstants) {
  EXPECT_EQ(sign_flip_p_value(Values{}, 0), 1.0);
  EXPECT_EQ(sign_flip_p_value(Values{0, 0, 0}, 0), 1.0);
  EXPECT_NEAR(sign_flip_p_value(Values{1, 1, 1, 1, 1, 1}, 0), 2.0 / 64, 1e-12);
  EXPECT_NEAR(sign_flip_p_value(Values{-1, -1, 0, -1, -1, 0}, 0), 2.0 / 16, 1e-12);
  EXPECT_NEAR(sign_flip_p_value(Values{1, 1, 1, 1, 1, -1}, 0), 2.0 * 7 / 64, 1e-12);
  EXPECT_NEAR(sign_flip_p_value(Values{1, -1}, 0), 1.0, 1e-12);
  EXPECT_NEAR(sign_flip_p_value(Values{1, 2, 3}, 0), 0.25, 1e-12);  // only +++ and --- reach 6
  EXPECT_NEAR(sign_flip_p_value(Values{-1, 2, 3}, 0), 0.5, 1e-12);  // |sum| >= 4: +++, -++ and their mirrors
  EXPECT_NEAR(sign_flip_p_value(Values{0.1, 0.2, -0.3}, 0), 1.0, 1e-12);
}

TEST(SignFlip, ManyEqualMagnitudesAreTheSignTest) {
  Values differences(100, 0.5);
  std::fill_n(differences.begin(), 40, -0.5);
  EXPECT_NEAR(sign_flip_p_value(differences, 0), 0.0568879, 1e-6);  // R: binom.test(60, 100)$p.value
  EXPECT_NEAR(sign_flip_p_value(Values(200, 1.0), 0), std::ldexp(1.0, -199), 1e-70);
}

double naive_p_value(const Values& values) {
  const double observed = std::abs(std::accumulate(values.begin(), values.end(), 0.0));
  int64_t count = 0;
  for (uint32_t pattern = 0; pattern < (1U << values.size()); ++pattern) {
    double sum = 0.0;
    for (size_t i = 0; i < values.size(); ++i) sum += (pattern >> i & 1U) != 0 ? values[i] : -values[i];
    if (std::abs(sum) >= observed - 1e-9) ++count;
  }
  return static_cast<double>(count) / static_cast<double>(1U << values.size());
}

TEST(SignFlip, EnumerationEqualsTheNaiveOne) {
  Random random(7);
  for (size_t n = 1; n <= 12; ++n) {
    for (int repeat = 0; repeat < 20; ++repeat) {
      Values values(n);
      for (double& value : values)
        value = repeat % 2 == 0 ? random.normal() + 0.5 : static_cast<double>(random.below(5)) / 2 - 0.5;
      EXPECT_NEAR(sign_flip_p_value(values, 0), naive_p_value(values), 1e-12) << n << " " << repeat;
    }
  }
}

TEST(SignFlip, ResamplingAgreesWithEnumeration) {
  Random random(3);
  Values values(20);
  for (double& value : values) value = random.normal() + 0.4;
  Values padded = values;  // four tiny values push it over the enumeration limit and hardly move the sum
  for (int i = 0; i < 4; ++i) padded.push_back(1e-7 * (i + 1));
  EXPECT_NEAR(sign_flip_p_value(padded, 11), sign_flip_p_value(values, 0), 0.01);
  EXPECT_EQ(sign_flip_p_value(padded, 11), sign_flip_p_value(padded, 11));
  Values all_positive(30);
  for (size_t i = 0; i < all_positive.size(); ++i) all_positive[i] = 1.0 + 0.01 * static_cast<double>(i);
  EXPECT_NEAR(sign_flip_p_value(all_positive, 1, 999), 0.001, 1e-12);  // never 0
}

TEST(SignFlip, PValuesAreUniformUnderTheNull) {
  for (const size_t n : {12U, 40U}) {
    std::vector<double> p_values;
    for (uint64_t seed = 0; seed < 1000; ++seed) {
      Random random(seed, n);
      Values values(n);
      for (double& value : values) value = random.normal();
      p_values.push_back(sign_flip_p_value(values, seed, 500));
    }
    for (const double level : {0.05, 0.1, 0.5, 0.9}) {
      const auto below = std::count_if(p_values.begin(), p_values.end(), [&](double p) { return p <= level; });
      EXPECT_NEAR(static_cast<double>(below) / 1000.0, level, 4.0 * std::sqrt(level * (1 - level) / 1000)) << n << " " << level;
    }
  }
}

TEST(Bootstrap, CoversTheMeanAboutAsOftenAsItSays) {
  int covered = 0;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    Random random(seed, 5);
    Values values(40);
    for (double& value : values) value = 0.3 + random.normal();
    const Interval interval = bootstrap_mean(values, own_clusters(40), seed, 400);
    if (interval.low <= 0.3 && 0.3 <= interval.high) ++covered;
  }
  EXPECT_GE(covered, 270);
  EXPECT_LE(covered, 297);
}

TEST(Bootstrap, ClustersWidenTheInterval) {
  Random random(2);
  Values values;
  std::vector<int64_t> cluster;
  for (int64_t prompt = 0; prompt < 10; ++prompt) {
    const double value = random.normal();
    for (int i = 0; i < 10; ++i) {
      values.push_back(value);
      cluster.push_back(prompt);
    }
  }
  const Interval clustered = bootstrap_mean(values, cluster, 1);
  const Interval independent = bootstrap_mean(values, own_clusters(values.size()), 1);
  EXPECT_GT(clustered.high - clustered.low, 2.0 * (independent.high - independent.low));
}

TEST(Bootstrap, EqualValuesDoNotMakeCertainty) {
  const double unseen = 3.8414588 / (8 + 3.8414588);
  const Interval ones = bootstrap_mean(Values(8, 1.0), own_clusters(8), 0);
  EXPECT_NEAR(ones.low, 1.0 - 2.0 * unseen, 1e-6);
  EXPECT_NEAR(ones.high, 1.0, 1e-12);
  const Interval zeros = bootstrap_mean(Values(8, 0.0), own_clusters(8), 0);
  EXPECT_NEAR(zeros.low, -unseen, 1e-6);
  EXPECT_NEAR(zeros.high, unseen, 1e-6);
  const Interval one_prompt = bootstrap_mean(Values{0.0, 1.0}, std::vector<int64_t>{4, 4}, 0);
  EXPECT_LT(one_prompt.low, -0.5);
  EXPECT_GT(one_prompt.high, 0.85);
  EXPECT_EQ(bootstrap_mean(Values{}, {}, 0).high, 0.0);
}

TEST(BenjaminiHochberg, HandComputedConstants) {
  EXPECT_THAT(benjamini_hochberg(Values{0.01, 0.04, 0.03, 0.005}, 4),
              ElementsAre(DoubleNear(0.02, 1e-12), DoubleNear(0.04, 1e-12), DoubleNear(0.04, 1e-12), DoubleNear(0.02, 1e-12)));
  EXPECT_THAT(benjamini_hochberg(Values{0.001, 0.5}, 100), ElementsAre(DoubleNear(0.1, 1e-12), DoubleNear(1.0, 1e-12)));
  EXPECT_TRUE(benjamini_hochberg(Values{}, 10).empty());
  EXPECT_THROW(benjamini_hochberg(Values{0.1, 0.2}, 1), Error);
}

TEST(BenjaminiHochberg, UntriedHypothesesTakePartWithPOne) {
  Random random(9);
  Values few(20);
  for (double& p : few) p = random.uniform() * 0.1;
  Values padded = few;
  padded.resize(500, 1.0);
  const Values expected = benjamini_hochberg(padded, 500);
  const Values got = benjamini_hochberg(few, 500);
  for (size_t i = 0; i < few.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-12);
}

TEST(WilsonInterval, IsThatOfTheTextbook) {  // Newcombe 1998, table of method 3
  const Interval none = wilson_interval(0, 10), half = wilson_interval(5, 10), of_nothing = wilson_interval(0, 0);
  EXPECT_DOUBLE_EQ(none.low, 0.0);
  EXPECT_NEAR(none.high, 0.2775, 5e-5);
  EXPECT_NEAR(half.low, 0.2366, 5e-5);
  EXPECT_NEAR(half.high, 0.7634, 5e-5);
  EXPECT_DOUBLE_EQ(of_nothing.low, 0.0);
  EXPECT_DOUBLE_EQ(of_nothing.high, 1.0);
}

TEST(CliffsDelta, EqualsTheNaiveOne) {
  EXPECT_EQ(cliffs_delta(Values{0, 0}, Values{1, 1}), 1.0);
  EXPECT_EQ(cliffs_delta(Values{1, 0}, Values{1, 0}), 0.0);
  EXPECT_EQ(cliffs_delta(Values{1, 1, 1, 1}, Values{1, 1, 0, 1}), -0.25);
  EXPECT_EQ(cliffs_delta(Values{}, Values{1}), 0.0);
  Random random(1);
  for (int repeat = 0; repeat < 50; ++repeat) {
    Values base(1 + random.below(30));
    Values target(1 + random.below(30));
    for (double& value : base) value = static_cast<double>(random.below(8));
    for (double& value : target) value = static_cast<double>(random.below(10));
    double dominance = 0.0;
    for (const double t : target) {
      for (const double b : base) dominance += (t > b) - (t < b);
    }
    EXPECT_NEAR(cliffs_delta(base, target), dominance / static_cast<double>(base.size() * target.size()), 1e-12);
  }
}

TEST(Mean, IsZeroOfNothing) {
  EXPECT_EQ(mean(Values{}), 0.0);
  EXPECT_EQ(mean(Values{1, 2, 6}), 3.0);
}

}  // namespace
}  // namespace fi
