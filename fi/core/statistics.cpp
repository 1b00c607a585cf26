#include "fi/core/statistics.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "fi/core/error.h"
#include "fi/core/random.h"

namespace fi {
namespace {

constexpr size_t kMaxEnumeratedSigns = 20;
constexpr double kZ95 = 1.959963984540054;

std::vector<double> without_zeros(std::span<const double> values) {
  std::vector<double> kept;
  for (const double value : values) {
    if (value != 0.0) kept.push_back(value);
  }
  return kept;
}

bool has_one_magnitude(const std::vector<double>& values) {
  const double first = std::abs(values.front());
  return std::all_of(values.begin(), values.end(), [&](double v) { return std::abs(std::abs(v) - first) <= 1e-12 * first; });
}

// Two-sided sign test: the chance of a split at least as uneven as `num_positive` of `n`.
double binomial_p_value(int64_t num_positive, int64_t n) {
  const int64_t larger = std::max(num_positive, n - num_positive);
  double tail = 0.0;
  for (int64_t k = larger; k <= n; ++k) {
    tail += std::exp(std::lgamma(n + 1.0) - std::lgamma(k + 1.0) - std::lgamma(n - k + 1.0) - n * std::log(2.0));
  }
  return std::min(1.0, 2.0 * tail);
}

// All 2^n signed sums of `values`, sorted.
std::vector<double> signed_sums(std::span<const double> values) {
  std::vector<double> sums{0.0};
  for (const double value : values) {
    const size_t size = sums.size();
    for (size_t i = 0; i < size; ++i) {
      sums.push_back(sums[i] + value);
      sums[i] -= value;
    }
  }
  std::sort(sums.begin(), sums.end());
  return sums;
}

// Meets in the middle: 2^n sign patterns from two sorted lists of 2^(n/2) sums.
double enumerated_p_value(const std::vector<double>& values) {
  const double observed = std::abs(std::accumulate(values.begin(), values.end(), 0.0));
  double scale = 0.0;
  for (const double value : values) scale += std::abs(value);
  const double threshold = observed - 1e-9 * scale;
  if (threshold <= 0.0) return 1.0;
  const std::span<const double> all(values);
  const std::vector<double> left = signed_sums(all.first(values.size() / 2));
  const std::vector<double> right = signed_sums(all.subspan(values.size() / 2));
  double count = 0.0;  // patterns whose sum is at least the threshold; those at most minus it are as many
  for (const double sum : left) count += right.end() - std::lower_bound(right.begin(), right.end(), threshold - sum);
  return std::min(1.0, 2.0 * count / std::ldexp(1.0, static_cast<int>(values.size())));
}

double resampled_p_value(const std::vector<double>& values, uint64_t seed, int64_t num_resamples) {
  const double total = std::accumulate(values.begin(), values.end(), 0.0);
  double scale = 0.0;
  for (const double value : values) scale += std::abs(value);
  const double threshold = std::abs(total) - 1e-9 * scale;
  Random random(seed, stream_of("sign flips"));
  int64_t count = 0;
  for (int64_t i = 0; i < num_resamples; ++i) {
    double flipped = 0.0;
    uint32_t bits = 0;
    for (size_t k = 0; k < values.size(); ++k) {
      if (k % 32 == 0) bits = random.next_u32();
      flipped += (bits & 1U) != 0 ? values[k] : -values[k];
      bits >>= 1;
    }
    if (std::abs(flipped) >= threshold) ++count;
  }
  return static_cast<double>(count + 1) / static_cast<double>(num_resamples + 1);
}

// One draw in 2^32 / size is biased, far below what resampling can see, and it costs no division.
size_t draw_index(Random& random, size_t size) { return static_cast<size_t>(uint64_t{random.next_u32()} * size >> 32); }

struct ClusterSum {
  double sum = 0.0;
  int64_t count = 0;
};

std::vector<ClusterSum> sum_clusters(std::span<const double> values, std::span<const int64_t> cluster) {
  std::map<int64_t, ClusterSum> by_cluster;
  for (size_t i = 0; i < values.size(); ++i) {
    ClusterSum& entry = by_cluster[cluster[i]];
    entry.sum += values[i];
    ++entry.count;
  }
  std::vector<ClusterSum> sums;
  for (const auto& [id, entry] : by_cluster) sums.push_back(entry);
  return sums;
}

// A share u of prompts that behave otherwise stays unseen in n of n with probability 5%; they could lie at either bound.
// At +1 and -1 this is Wilson's interval of a rate, stretched from [0, 1] to [-1, 1].
Interval widen_certainty(double value, int64_t num_clusters, double bound) {
  const double unseen = kZ95 * kZ95 / (static_cast<double>(num_clusters) + kZ95 * kZ95);
  return {value - unseen * (value + bound), value + unseen * (bound - value)};
}

double quantile(std::vector<double>& values, double share) {
  const auto at = values.begin() + std::lround(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

}  // namespace

double sign_flip_p_value(std::span<const double> differences, uint64_t seed, int64_t num_resamples) {
  const std::vector<double> values = without_zeros(differences);
  if (values.empty()) return 1.0;
  if (has_one_magnitude(values)) {
    const auto positive = std::count_if(values.begin(), values.end(), [](double v) { return v > 0.0; });
    return binomial_p_value(positive, static_cast<int64_t>(values.size()));
  }
  if (values.size() <= kMaxEnumeratedSigns) return enumerated_p_value(values);
  return resampled_p_value(values, seed, num_resamples);
}

Interval bootstrap_mean(std::span<const double> values, std::span<const int64_t> cluster, uint64_t seed, int64_t num_resamples) {
  invariant(values.size() == cluster.size(), "[bootstrap] {} values have {} cluster ids.", values.size(), cluster.size());
  invariant(num_resamples > 0, "[bootstrap] num_resamples is {}.", num_resamples);
  if (values.empty()) return {};
  const std::vector<ClusterSum> sums = sum_clusters(values, cluster);
  Random random(seed, stream_of("bootstrap"));
  std::vector<double> means(static_cast<size_t>(num_resamples));
  for (double& resampled : means) {
    ClusterSum total;
    for (size_t i = 0; i < sums.size(); ++i) {
      const ClusterSum& drawn = sums[draw_index(random, sums.size())];
      total.sum += drawn.sum;
      total.count += drawn.count;
    }
    resampled = total.sum / static_cast<double>(total.count);
  }
  const auto [lowest, highest] = std::minmax_element(means.begin(), means.end());
  if (*highest - *lowest <= 1e-12 * std::abs(*highest)) {
    double bound = 1.0;
    for (const double value : values) bound = std::max(bound, std::abs(value));
    return widen_certainty(mean(values), static_cast<int64_t>(sums.size()), bound);
  }
  return {quantile(means, 0.025), quantile(means, 0.975)};
}

std::vector<double> benjamini_hochberg(std::span<const double> p_values, int64_t num_tested) {
  invariant(num_tested >= static_cast<int64_t>(p_values.size()), "[statistics] {} p-values of only {} tests.", p_values.size(),
            num_tested);
  std::vector<size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return p_values[a] < p_values[b]; });
  std::vector<double> q_values(p_values.size());
  double smallest = 1.0;
  for (size_t rank = order.size(); rank > 0; --rank) {
    const size_t index = order[rank - 1];
    smallest = std::min(smallest, p_values[index] * static_cast<double>(num_tested) / static_cast<double>(rank));
    q_values[index] = smallest;
  }
  return q_values;
}

Interval wilson_interval(double count, double num) {
  if (num <= 0.0) return {0.0, 1.0};
  const double rate = count / num, z2 = kZ95 * kZ95;
  const double centre = (rate + z2 / (2.0 * num)) / (1.0 + z2 / num);
  const double half = kZ95 / (1.0 + z2 / num) * std::sqrt(rate * (1.0 - rate) / num + z2 / (4.0 * num * num));
  return {std::max(0.0, centre - half), std::min(1.0, centre + half)};
}

double cliffs_delta(std::span<const double> base, std::span<const double> target) {
  if (base.empty() || target.empty()) return 0.0;
  std::vector<double> sorted(base.begin(), base.end());
  std::sort(sorted.begin(), sorted.end());
  int64_t dominance = 0;
  for (const double value : target) {
    const auto [low, high] = std::equal_range(sorted.begin(), sorted.end(), value);
    dominance += (low - sorted.begin()) - (sorted.end() - high);
  }
  return static_cast<double>(dominance) / (static_cast<double>(base.size()) * static_cast<double>(target.size()));
}

double mean(std::span<const double> values) {
  if (values.empty()) return 0.0;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace fi
