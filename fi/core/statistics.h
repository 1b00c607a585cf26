#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace fi {

/// Two-sided p-value of the paired sign-flip permutation test on differences, with mean difference as the statistic.
/// Exact by enumeration for at most 20 non-zero differences or (any number of) differences of one magnitude (then it is the
/// binomial sign test); else `num_resamples` random flips with the (count + 1) / (n + 1) rule (Phipson and Smyth, 2010).
double sign_flip_p_value(std::span<const double> differences, uint64_t seed, int64_t num_resamples = 20'000);

struct Interval {
  double low = 0.0;
  double high = 0.0;
};

/// 95% percentile bootstrap interval of the mean, resampling clusters: `cluster[i]` names the cluster of `values[i]`.
/// Where every resample gives the same mean (all values equal), the interval is widened to what a Wilson interval of a rate would
/// allow if values are bounded by [-1, 1]: a sample of 8 equal differences does not make certainty.
Interval bootstrap_mean(std::span<const double> values, std::span<const int64_t> cluster, uint64_t seed,
                        int64_t num_resamples = 4'000);

/// Wilson's 95% interval of a rate; 0 to 1 of nothing.
Interval wilson_interval(double count, double num);

/// Benjamini and Hochberg (1995) adjusted p-values, in the order given. `num_tested` >= p_values.size() counts hypotheses that
/// were tried and not kept: they take part with p = 1.
std::vector<double> benjamini_hochberg(std::span<const double> p_values, int64_t num_tested);

/// Cliff's delta, P(target > base) - P(target < base) over all pairs: -1..1.
double cliffs_delta(std::span<const double> base, std::span<const double> target);

double mean(std::span<const double> values);  // 0 of nothing

}  // namespace fi
