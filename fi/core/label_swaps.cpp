#include "fi/core/label_swaps.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "fi/core/error.h"
#include "fi/core/random.h"

namespace fi {
namespace {

constexpr size_t kMaxEnumeratedSwaps = 13;  // 4,096 swaps: an overall change of sign changes no statistic

using Signs = std::vector<std::vector<double>>;  // per swap, +1 or -1 per observation; the first one is as observed

Signs all_swaps(size_t num_observations) {
  Signs swaps;
  for (size_t pattern = 0; pattern < size_t{1} << (num_observations - 1); ++pattern) {
    std::vector<double>& signs = swaps.emplace_back(num_observations, 1.0);
    for (size_t i = 0; i + 1 < num_observations; ++i) {
      if ((pattern >> i & 1U) != 0) signs[i] = -1.0;
    }
  }
  return swaps;
}

Signs random_swaps(size_t num_observations, uint64_t seed, int64_t num_resamples) {
  Signs swaps(static_cast<size_t>(num_resamples) + 1, std::vector<double>(num_observations, 1.0));
  Random random(seed, stream_of("label swaps"));
  for (size_t k = 1; k < swaps.size(); ++k) {
    for (double& sign : swaps[k]) sign = random.below(2) == 0 ? 1.0 : -1.0;
  }
  return swaps;
}

// The p-value that a hypothesis would have under each swap: the share of swaps that give at least as large a statistic.
std::vector<double> p_values_by_swap(const std::vector<double>& differences, const Signs& swaps) {
  std::vector<double> statistics;
  double scale = 0.0;
  for (const double difference : differences) scale += std::abs(difference);
  for (const std::vector<double>& signs : swaps)
    statistics.push_back(std::abs(std::inner_product(signs.begin(), signs.end(), differences.begin(), 0.0)));
  std::vector<double> sorted = statistics;
  std::sort(sorted.begin(), sorted.end());
  std::vector<double> p_values;
  for (const double statistic : statistics) {
    const auto first = std::lower_bound(sorted.begin(), sorted.end(), statistic - 1e-9 * scale);
    p_values.push_back(static_cast<double>(sorted.end() - first) / static_cast<double>(sorted.size()));
  }
  return p_values;
}

double share_at_most(const std::vector<double>& values, double bound) {
  const auto count = std::count_if(values.begin(), values.end(), [&](double value) { return value <= bound + 1e-12; });
  return static_cast<double>(count) / static_cast<double>(values.size());
}

}  // namespace

std::vector<AdjustedTest> test_by_label_swaps(const std::vector<std::vector<double>>& differences, uint64_t seed,
                                              int64_t num_resamples) {
  std::vector<AdjustedTest> tests(differences.size());
  const size_t num_observations = differences.empty() ? 0 : differences.front().size();
  if (num_observations == 0) return tests;
  for (const auto& row : differences)
    invariant(row.size() == num_observations, "[label swaps] {} differences beside {}.", row.size(), num_observations);
  const Signs swaps =
      num_observations <= kMaxEnumeratedSwaps ? all_swaps(num_observations) : random_swaps(num_observations, seed, num_resamples);
  std::vector<std::vector<double>> by_swap;
  for (size_t h = 0; h < differences.size(); ++h) {
    by_swap.push_back(p_values_by_swap(differences[h], swaps));
    tests[h].p_value = by_swap[h].front();
  }
  std::vector<size_t> order(tests.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return tests[a].p_value < tests[b].p_value; });
  // From the least significant up: the smallest p-value, under each swap, of this hypothesis and of all that are less
  // significant.
  std::vector<double> smallest(swaps.size(), 1.0);
  for (size_t rank = order.size(); rank-- > 0;) {
    const std::vector<double>& own = by_swap[order[rank]];
    for (size_t k = 0; k < smallest.size(); ++k) smallest[k] = std::min(smallest[k], own[k]);
    tests[order[rank]].adjusted = share_at_most(smallest, own.front());
  }
  double largest = 0.0;
  for (const size_t h : order) tests[h].adjusted = largest = std::max(largest, tests[h].adjusted);
  return tests;
}

}  // namespace fi
