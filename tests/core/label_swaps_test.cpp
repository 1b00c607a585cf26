#include "fi/core/label_swaps.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "fi/core/random.h"
#include "fi/core/statistics.h"

namespace fi {
namespace {

using Rows = std::vector<std::vector<double>>;

double statistic(const std::vector<double>& row, uint32_t pattern) {
  double sum = 0.0;
  for (size_t i = 0; i < row.size(); ++i) sum += (pattern >> i & 1U) != 0 ? -row[i] : row[i];
  return std::abs(sum);
}

double naive_p_value(const std::vector<double>& row, uint32_t pattern) {
  int count = 0;
  for (uint32_t other = 0; other < 1U << row.size(); ++other)
    count += statistic(row, other) >= statistic(row, pattern) - 1e-9 ? 1 : 0;
  return count / std::ldexp(1.0, static_cast<int>(row.size()));
}

// As the book has it: by every swap, the smallest p-value among the hypotheses that are no more significant than this one.
std::vector<double> naive_adjusted(const Rows& rows) {
  std::vector<double> adjusted;
  for (const auto& row : rows) {
    double largest = 0.0;  // over this one and all that are more significant
    for (const auto& at_least : rows) {
      const double own = naive_p_value(at_least, 0);
      if (own > naive_p_value(row, 0)) continue;
      int count = 0;
      for (uint32_t pattern = 0; pattern < 1U << row.size(); ++pattern) {
        double smallest = 1.0;
        for (const auto& other : rows) {
          if (naive_p_value(other, 0) >= own - 1e-12) smallest = std::min(smallest, naive_p_value(other, pattern));
        }
        count += smallest <= own + 1e-12 ? 1 : 0;
      }
      largest = std::max(largest, count / std::ldexp(1.0, static_cast<int>(row.size())));
    }
    adjusted.push_back(largest);
  }
  return adjusted;
}

TEST(LabelSwaps, EqualsTheNaiveEnumeration) {
  Random random(5);
  for (int repeat = 0; repeat < 10; ++repeat) {
    Rows rows(5, std::vector<double>(6));
    for (size_t h = 0; h < rows.size(); ++h) {
      // Continuous values: ties between hypotheses, which the book leaves open, do not occur beyond equal p-values.
      for (double& value : rows[h]) value = random.normal() + 0.4 * static_cast<double>(h);
    }
    const std::vector<AdjustedTest> tests = test_by_label_swaps(rows, 0);
    const std::vector<double> expected = naive_adjusted(rows);
    for (size_t h = 0; h < rows.size(); ++h) {
      EXPECT_DOUBLE_EQ(tests[h].p_value, naive_p_value(rows[h], 0));
      EXPECT_DOUBLE_EQ(tests[h].p_value, sign_flip_p_value(rows[h], 0));
      EXPECT_LE(tests[h].adjusted, expected[h] + 1e-12);  // equal p-values: the step-down goes through them one by one
      EXPECT_GE(tests[h].adjusted, tests[h].p_value);
    }
    const auto best =
        std::min_element(tests.begin(), tests.end(), [](const auto& a, const auto& b) { return a.p_value < b.p_value; });
    EXPECT_DOUBLE_EQ(best->adjusted, expected[static_cast<size_t>(best - tests.begin())]);
  }
}

TEST(LabelSwaps, HandComputedConstants) {
  // One unanimous hypothesis of four observations: only it and its mirror reach its sum.
  EXPECT_DOUBLE_EQ(test_by_label_swaps({{1, 1, 1, 1}}, 0)[0].adjusted, 2.0 / 16);
  // A copy of it adds no chance; another pattern adds its own two swaps.
  EXPECT_DOUBLE_EQ(test_by_label_swaps({{1, 1, 1, 1}, {1, 1, 1, 1}}, 0)[0].adjusted, 2.0 / 16);
  EXPECT_DOUBLE_EQ(test_by_label_swaps({{1, 1, 1, 1}, {1, 1, 1, -1}}, 0)[0].adjusted, 4.0 / 16);
  // A hypothesis that no swap can make look good costs nothing.
  EXPECT_DOUBLE_EQ(test_by_label_swaps({{1, 1, 1, 1}, {0, 0, 0, 1}}, 0)[0].adjusted, 2.0 / 16);
  EXPECT_DOUBLE_EQ(test_by_label_swaps({{0, 0, 0}}, 0)[0].p_value, 1.0);
  EXPECT_TRUE(test_by_label_swaps({}, 0).empty());
}

TEST(LabelSwaps, RandomSwapsComeNearTheExactValues) {
  Random random(11);
  Rows rows(8, std::vector<double>(14));
  for (size_t h = 0; h < rows.size(); ++h) {
    for (double& value : rows[h]) value = random.normal() + 0.15 * static_cast<double>(h);
  }
  const auto few = test_by_label_swaps(rows, 3), again = test_by_label_swaps(rows, 3);
  for (size_t h = 0; h < rows.size(); ++h) {
    const double exact = sign_flip_p_value(rows[h], 0);
    EXPECT_NEAR(few[h].p_value, exact, 5.0 * std::sqrt(exact * (1.0 - exact) / 4'096) + 1.0 / 4'096);
    EXPECT_EQ(few[h].adjusted, again[h].adjusted);
  }
}

TEST(LabelSwaps, ChanceRejectsAnythingInOneSampleOfTwentyAtMost) {
  Random random(23);
  int num_false = 0;
  constexpr int kSamples = 400;
  for (int sample = 0; sample < kSamples; ++sample) {
    Rows rows(30, std::vector<double>(9));
    for (size_t i = 0; i < 9; ++i) {
      const double common = random.normal();  // hypotheses that depend on each other
      for (auto& row : rows) row[i] = common + random.normal();
    }
    const auto tests = test_by_label_swaps(rows, 0);
    num_false += std::any_of(tests.begin(), tests.end(), [](const AdjustedTest& test) { return test.adjusted <= 0.05; }) ? 1 : 0;
  }
  EXPECT_LE(num_false, 34);  // 0.05 of 400 and three standard deviations
}

}  // namespace
}  // namespace fi
