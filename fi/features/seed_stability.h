#pragma once

#include <vector>

#include "fi/dictionary/crosscoder.h"

namespace fi {

/// A latent counts as found again where another dictionary has one this near (Paulo & Belrose 2501.16615 take 0.7).
inline constexpr double kSameLatentCosine = 0.7;

/// Which latents of a dictionary come back in others that were trained on the same rows from other seeds.
struct SeedStability {
  int64_t num_seeds = 1;  // its own one counted
  double min_cosine = kSameLatentCosine;
  std::vector<int64_t> found;                // [num_latents] seeds that have the latent, its own one counted
  std::vector<std::vector<double>> cosines;  // [num_seeds - 1][num_latents] matched cosine with each other seed
};

template <typename Visit>
void visit_fields(SeedStability& s, Visit&& visit) {
  visit("num_seeds", s.num_seeds);
  visit("min_cosine", s.min_cosine);
  visit("found", s.found);
  visit("cosines", s.cosines);
}

/// [num_latents] For each latent of `crosscoder` the largest cosine that any latent of `other` reaches, over the decoder vectors
/// of all models side by side: several may match the same one. 0 for a latent without a decoder. kIncompatible if shapes differ.
std::vector<double> matched_cosines(const Crosscoder& crosscoder, const Crosscoder& other);

/// Of `crosscoder` among `others`, its siblings of other seeds.
SeedStability seed_stability(const Crosscoder& crosscoder, const std::vector<Crosscoder>& others);

}  // namespace fi
