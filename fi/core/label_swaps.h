#pragma once

#include <cstdint>
#include <vector>

namespace fi {

/// A hypothesis among several that were tested on the same observations.
struct AdjustedTest {
  double p_value = 1.0;   // its own, two-sided
  double adjusted = 1.0;  // chance that pure chance makes any hypothesis of the family look as good
};

/// Step-down minP of Westfall and Young (1993, algorithm 2.8) for paired data: `differences[h][i]` is target - base of hypothesis
/// h on observation i, and swapping the two labels of an observation changes the sign of its differences in all hypotheses at
/// once. The statistic is the mean difference. Every rejection at adjusted <= alpha: some true null is rejected with probability
/// at most alpha, whatever the dependence. Exact by enumeration of all swaps for up to 13 observations, else from `num_resamples`
/// random swaps with the observed one among them. All rows have one length.
std::vector<AdjustedTest> test_by_label_swaps(const std::vector<std::vector<double>>& differences, uint64_t seed,
                                              int64_t num_resamples = 4'095);

}  // namespace fi
