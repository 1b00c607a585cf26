#include "fi/tokenizer/alignment.h"

#include <gtest/gtest.h>

#include <set>

#include "fi/core/random.h"

namespace fi {
namespace {

TEST(Alignment, PairsTheTokensThatEndAtTheSameByte) {
  // "hello there" as hel|lo| there and hello| the|re; BOS covers nothing.
  const Alignment alignment = align({{0, 0}, {0, 3}, {3, 5}, {5, 11}}, {{0, 5}, {5, 9}, {9, 11}});
  ASSERT_EQ(alignment.positions.size(), 2u);
  EXPECT_EQ(alignment.positions[0].base, 2u);
  EXPECT_EQ(alignment.positions[0].target, 0u);
  EXPECT_EQ(alignment.positions[1].base, 3u);
  EXPECT_EQ(alignment.positions[1].target, 2u);
  EXPECT_EQ(alignment.positions[1].end, 11u);
  EXPECT_EQ(alignment.num_bytes_covered, 11u);
}

TEST(Alignment, TheLastPartOfACharacterCounts) {
  // Byte tokens of one character all cover it whole.
  const Alignment alignment = align({{0, 3}, {0, 3}, {0, 3}, {3, 4}}, {{0, 3}, {3, 4}});
  ASSERT_EQ(alignment.positions.size(), 2u);
  EXPECT_EQ(alignment.positions[0].base, 2u);
  EXPECT_EQ(alignment.positions[0].target, 0u);
}

TEST(Alignment, OfNothingIsNothing) {
  EXPECT_TRUE(align({}, {}).positions.empty());
  EXPECT_TRUE(align({{0, 0}}, {{0, 4}}).positions.empty());
  EXPECT_EQ(align({{0, 2}}, {{0, 4}}).num_bytes_covered, 0u);
}

// Random cuts of a text, against the intersection of the cuts as sets.
TEST(Alignment, FindsEverySharedBoundary) {
  Random random(3);
  constexpr size_t kBytes = 60;
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<ByteSpan> spans[2];
    std::set<size_t> cuts[2];
    for (int side = 0; side < 2; ++side) {
      for (size_t begin = 0; begin < kBytes;) {
        const size_t end = std::min<size_t>(kBytes, begin + 1 + random.below(6));
        spans[side].emplace_back(begin, end);
        cuts[side].insert(end);
        begin = end;
      }
    }
    std::vector<size_t> wanted, got;
    for (const size_t cut : cuts[0]) {
      if (cuts[1].contains(cut)) wanted.push_back(cut);
    }
    for (const AlignedPosition& position : align(spans[0], spans[1]).positions) {
      got.push_back(position.end);
      EXPECT_EQ(spans[0][position.base].second, position.end);
      EXPECT_EQ(spans[1][position.target].second, position.end);
    }
    EXPECT_EQ(got, wanted);
  }
}

}  // namespace
}  // namespace fi
