#include "fi/features/seed_stability.h"

#include <algorithm>

#include "fi/core/error.h"
#include "fi/core/progress.h"

namespace fi {
namespace {

constexpr int64_t kBlockLatents = 512;  // [512, num_latents] cosines at a time

// [num_latents, num_models * d_model]
at::Tensor unit_latents(const Crosscoder& c) {
  const at::Tensor vectors = c.decoder.permute({1, 0, 2}).reshape({c.num_latents(), -1});
  return vectors / vectors.norm(2, {1}, true).clamp_min(1e-30);
}

}  // namespace

std::vector<double> matched_cosines(const Crosscoder& crosscoder, const Crosscoder& other) {
  check(crosscoder.num_models() == other.num_models() && crosscoder.d_model() == other.d_model(), ErrorCode::kIncompatible,
        "[features] dictionaries of {} models of width {} and {} of {} have no latents in common; compare ones of the same rows.",
        crosscoder.num_models(), crosscoder.d_model(), other.num_models(), other.d_model());
  const at::Tensor latents = unit_latents(crosscoder), others = unit_latents(other).t();
  std::vector<double> cosines;
  for (int64_t first = 0; first < latents.size(0); first += kBlockLatents) {
    check_interrupt();
    const at::Tensor block = latents.narrow(0, first, std::min(kBlockLatents, latents.size(0) - first));
    const at::Tensor best = block.matmul(others).amax({1}).to(at::kDouble).contiguous();
    cosines.insert(cosines.end(), best.const_data_ptr<double>(), best.const_data_ptr<double>() + best.numel());
  }
  return cosines;
}

SeedStability seed_stability(const Crosscoder& crosscoder, const std::vector<Crosscoder>& others) {
  SeedStability result{.num_seeds = static_cast<int64_t>(others.size()) + 1,
                       .found = std::vector<int64_t>(static_cast<size_t>(crosscoder.num_latents()), 1)};
  for (const Crosscoder& other : others) {
    const std::vector<double>& cosines = result.cosines.emplace_back(matched_cosines(crosscoder, other));
    for (size_t j = 0; j < cosines.size(); ++j) result.found[j] += cosines[j] >= result.min_cosine;
  }
  return result;
}

}  // namespace fi
