#include "fi/features/seed_stability.h"

#include <gtest/gtest.h>

#include "fi/core/error.h"

namespace fi {
namespace {

// One row of `latents` a latent, the models' vectors of two numbers side by side.
Crosscoder with_decoder(const at::Tensor& latents) {
  Crosscoder c;
  c.decoder = latents.view({latents.size(0), 2, 2}).permute({1, 0, 2}).contiguous();
  c.encoder = at::zeros({2, 2, latents.size(0)});
  return c;
}

const at::Tensor kLatents = at::tensor({1.0F, 0.0F, 0.0F, 0.0F,  //
                                        0.0F, 2.0F, 0.0F, 2.0F,  //
                                        0.0F, 0.0F, 0.0F, 0.0F})
                                .view({3, 4});

TEST(SeedStability, MatchesTheVectorsOfAllModelsTogether) {
  // The first is there in other order and size, the second in the base alone: a cosine of 1 / sqrt(2), by each model it would
  // be 1.
  const at::Tensor others = at::tensor({0.0F, 5.0F, 0.0F, 0.0F, 3.0F, 0.0F, 0.0F, 0.0F}).view({2, 4});
  const std::vector<double> cosines = matched_cosines(with_decoder(kLatents), with_decoder(others));
  ASSERT_EQ(cosines.size(), 3U);
  EXPECT_NEAR(cosines[0], 1.0, 1e-6);
  EXPECT_NEAR(cosines[1], std::sqrt(0.5), 1e-6);
  EXPECT_EQ(cosines[2], 0.0);
}

TEST(SeedStability, CountsTheSeedsThatHaveALatent) {
  const Crosscoder c = with_decoder(kLatents);
  const Crosscoder opposite = with_decoder(kLatents.neg()), half = with_decoder(kLatents.slice(0, 0, 1));
  const SeedStability stability = seed_stability(c, {c, opposite, half});
  EXPECT_EQ(stability.num_seeds, 4);
  EXPECT_EQ(stability.found, std::vector<int64_t>({3, 2, 1}));
  ASSERT_EQ(stability.cosines.size(), 3U);
  EXPECT_NEAR(stability.cosines[2][1], 0.0, 1e-6);
}

TEST(SeedStability, RefusesAnotherWidth) {
  Crosscoder other = with_decoder(kLatents);
  other.decoder = at::zeros({2, 3, 5});
  other.encoder = at::zeros({2, 5, 3});
  EXPECT_THROW(matched_cosines(with_decoder(kLatents), other), Error);
}

}  // namespace
}  // namespace fi
