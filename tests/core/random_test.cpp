#include "fi/core/random.h"

#include <gtest/gtest.h>

#include <cmath>

namespace fi {
namespace {

// Known-answer vector of Random123 (kat_vectors: philox4x32 10, zero counter and key).
TEST(Random, MatchesTheReferenceVector) {
  Random random(0, 0);
  EXPECT_EQ(random.next_u32(), 0x6627e8d5u);
  EXPECT_EQ(random.next_u32(), 0xe169c58du);
  EXPECT_EQ(random.next_u32(), 0xbc57ac4cu);
  EXPECT_EQ(random.next_u32(), 0x9b00dbd8u);
}

TEST(Random, StreamsDiffer) {
  Random a(1, stream_of("a")), b(1, stream_of("b"));
  EXPECT_NE(a.next_u64(), b.next_u64());
}

TEST(Random, UniformAndNormalHaveTheirMoments) {
  Random random(7);
  double sum = 0, squares = 0, uniform = 0;
  constexpr int kDraws = 100'000;
  for (int i = 0; i < kDraws; ++i) {
    const double x = random.normal();
    sum += x;
    squares += x * x;
    uniform += random.uniform();
  }
  EXPECT_NEAR(sum / kDraws, 0.0, 0.02);
  EXPECT_NEAR(squares / kDraws, 1.0, 0.02);
  EXPECT_NEAR(uniform / kDraws, 0.5, 0.01);
}

TEST(Random, BelowStaysBelow) {
  Random random(3);
  for (int i = 0; i < 1000; ++i) EXPECT_LT(random.below(7), 7u);
}

}  // namespace
}  // namespace fi
