#include "fi/training/active_codes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "fi/core/random.h"
#include "fi/training/step_kernels.h"

namespace fi {
namespace {

struct Codes {
  int64_t rows, latents;
  std::vector<float> values, norms;
};

Codes random_codes(int64_t rows, int64_t latents, uint64_t seed, bool coarse = false) {
  Random random(seed);
  Codes codes{rows, latents, {}, {}};
  for (int64_t i = 0; i < rows * latents; ++i) {
    const double value = random.normal();
    codes.values.push_back(static_cast<float>(coarse ? std::round(value * 2) / 2 : value));
  }
  for (int64_t j = 0; j < latents; ++j) codes.norms.push_back(coarse ? 1.0F : static_cast<float>(0.5 + random.uniform()));
  return codes;
}

// Panels of 48 latents, the last one narrower.
TopCodeCollector collect(const Codes& codes, float floor) {
  TopCodeCollector collector(codes.rows, codes.latents, floor);
  for (int64_t first = 0; first < codes.latents; first += 48) {
    const int64_t width = std::min<int64_t>(48, codes.latents - first);
    std::vector<float> panel;
    for (int64_t row = 0; row < codes.rows; ++row) {
      panel.insert(panel.end(), codes.values.begin() + row * codes.latents + first,
                   codes.values.begin() + row * codes.latents + first + width);
    }
    collector.add_panel(panel.data(), codes.norms.data() + first, first, width);
  }
  return collector;
}

using Entry = std::tuple<float, int64_t, int64_t>;  // minus the scaled code, row, latent: sorts as the selection does

std::vector<Entry> naive_top(const Codes& codes, int64_t count) {
  std::vector<Entry> all;
  for (int64_t row = 0; row < codes.rows; ++row) {
    for (int64_t j = 0; j < codes.latents; ++j) {
      const float scaled = codes.values[static_cast<size_t>(row * codes.latents + j)] * codes.norms[static_cast<size_t>(j)];
      if (scaled > 0) all.emplace_back(-scaled, row, j);
    }
  }
  std::sort(all.begin(), all.end());
  all.resize(std::min(all.size(), static_cast<size_t>(count)));
  std::sort(all.begin(), all.end(), [](const Entry& a, const Entry& b) {
    return std::pair(std::get<1>(a), std::get<2>(a)) < std::pair(std::get<1>(b), std::get<2>(b));
  });
  return all;
}

void expect_same(const ActiveCodes& active, const std::vector<Entry>& expected, const Codes& codes) {
  ASSERT_EQ(active.code.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(active.row[i], std::get<1>(expected[i]));
    EXPECT_EQ(active.latent[i], std::get<2>(expected[i]));
    EXPECT_EQ(active.code[i], codes.values[static_cast<size_t>(active.row[i] * codes.latents + active.latent[i])]);
  }
}

class TopCodes : public testing::TestWithParam<std::tuple<int, int, int>> {};

TEST_P(TopCodes, AreThoseThatSortingFinds) {
  const auto [rows, latents, count] = GetParam();
  for (const bool coarse : {false, true}) {  // coarse values tie often
    const Codes codes = random_codes(rows, latents, 11, coarse);
    const auto expected = naive_top(codes, count);
    const ActiveCodes active = collect(codes, 0.0F).take(count);
    expect_same(active, expected, codes);
    float smallest = 1e30F;
    for (const Entry& entry : expected) smallest = std::min(smallest, -std::get<0>(entry));
    if (!expected.empty()) {
      EXPECT_EQ(active.smallest, smallest);
    }
    if (!coarse && !expected.empty()) expect_same(collect(codes, smallest * 0.9F).take(count), expected, codes);
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, TopCodes,
                         testing::Values(std::tuple(1, 1, 1), std::tuple(70, 100, 200), std::tuple(33, 130, 1),
                                         std::tuple(40, 48, 10'000), std::tuple(64, 97, 640)));

TEST(TopCodes, NothingPositiveGivesNothing) {
  Codes codes = random_codes(5, 50, 3);
  for (float& value : codes.values) value = -1.0F;
  const ActiveCodes active = collect(codes, 0.0F).take(10);
  EXPECT_EQ(active.num_active(), 0);
  EXPECT_EQ(active.num_rows(), 5);
  EXPECT_EQ(active.latent_start.size(), 51U);
}

TEST(ActiveCodes, TheTwoIndicesHoldTheSameEntries) {
  const ActiveCodes active = collect(random_codes(64, 97, 12), 0.0F).take(640);
  int64_t visited = 0;
  for (int64_t j = 0; j < 97; ++j) {
    int32_t last_row = -1;
    for (int64_t i = active.latent_start[static_cast<size_t>(j)]; i < active.latent_start[static_cast<size_t>(j) + 1]; ++i) {
      const auto entry = static_cast<size_t>(active.by_latent[static_cast<size_t>(i)]);
      EXPECT_EQ(active.latent[entry], j);
      EXPECT_GT(active.row[entry], last_row);
      last_row = active.row[entry];
      ++visited;
    }
  }
  EXPECT_EQ(visited, 640);
}

TEST(EstimateFloor, LetsAboutTheShareThrough) {
  const Codes codes = random_codes(200, 48, 13);
  const float floor = estimate_floor(codes.values.data(), codes.norms.data(), 200, 48, 0.05);
  EXPECT_NEAR(static_cast<double>(collect(codes, floor).num_candidates()), 0.05 * 200 * 48, 1.0);
  EXPECT_EQ(estimate_floor(codes.values.data(), codes.norms.data(), 200, 48, 0.9), 0.0F);
}

TEST(VectorKernels, AreTheirDefinition) {
  Random random(14);
  for (const int64_t n : {0, 1, 15, 16, 31, 32, 33, 100, 577}) {
    std::vector<float> x(static_cast<size_t>(n)), y(static_cast<size_t>(n));
    for (float& value : x) value = static_cast<float>(random.normal());
    for (float& value : y) value = static_cast<float>(random.normal());
    double expected = 0.0;
    std::vector<double> sums(y.begin(), y.end());
    for (size_t i = 0; i < x.size(); ++i) {
      expected += double{x[i]} * double{y[i]};
      sums[i] += 0.7 * double{x[i]};
    }
    EXPECT_NEAR(dot_product(n, x.data(), y.data()), expected, 1e-4);
    add_scaled(n, 0.7F, x.data(), y.data());
    for (size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(y[i], sums[i], 1e-5);
  }
  const std::vector<float> values = {1, -5, 2, 0}, weights = {1, 1, 3, 9};
  EXPECT_TRUE(any_above(4, values.data(), weights.data(), 5.9F));
  EXPECT_FALSE(any_above(4, values.data(), weights.data(), 6.0F));
}

// Three steps by hand of the published algorithm.
TEST(VectorKernels, AdamIsThePublishedOne) {
  double m = 0.0, v = 0.0, w = 1.0;
  float first = 0.0F, second = 0.0F, weight = 1.0F;
  const double gradients[] = {0.5, -0.2, 0.1};
  for (int t = 1; t <= 3; ++t) {
    const double g = gradients[t - 1];
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g * g;
    w -= 0.01 * (m / (1 - std::pow(0.9, t))) / (std::sqrt(v / (1 - std::pow(0.999, t))) + 1e-8);
    const auto gradient = static_cast<float>(g);
    apply_adam(1, adam_step(0.01, 0.9, 0.999, 1e-8, t - 1), &gradient, &first, &second, &weight);
    EXPECT_NEAR(weight, w, 1e-6);
  }
}

}  // namespace
}  // namespace fi
