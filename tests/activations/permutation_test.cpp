#include "fi/activations/permutation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <vector>

namespace fi {
namespace {

TEST(Permutation, VisitsEveryIndexOnce) {
  for (const uint64_t size : {1, 2, 3, 5, 16, 17, 100, 1023, 1024, 1025}) {
    const Permutation order(size, 4, 2);
    std::set<uint64_t> seen;
    for (uint64_t i = 0; i < size; ++i) seen.insert(order(i));
    EXPECT_EQ(seen.size(), size);
    EXPECT_EQ(*seen.rbegin(), size - 1);
  }
}

TEST(Permutation, DependsOnSeedAndStreamOnly) {
  const auto order = [](uint64_t seed, uint64_t stream) {
    std::vector<uint64_t> values;
    for (uint64_t i = 0; i < 200; ++i) values.push_back(Permutation(200, seed, stream)(i));
    return values;
  };
  EXPECT_EQ(order(1, 1), order(1, 1));
  EXPECT_NE(order(1, 1), order(2, 1));
  EXPECT_NE(order(1, 1), order(1, 2));
}

// Over many seeds every index must land everywhere about equally often: chi-squared of 63 degrees, far in the tail above 140.
TEST(Permutation, SpreadsEvenly) {
  constexpr int kSeeds = 6400;
  for (const uint64_t index : {0, 1, 40}) {
    std::vector<int> counts(64);
    for (int seed = 0; seed < kSeeds; ++seed) ++counts[Permutation(64, static_cast<uint64_t>(seed), 0)(index)];
    double chi_squared = 0.0;
    for (const int count : counts) chi_squared += std::pow(count - kSeeds / 64.0, 2) / (kSeeds / 64.0);
    EXPECT_LT(chi_squared, 140.0);
  }
}

}  // namespace
}  // namespace fi
