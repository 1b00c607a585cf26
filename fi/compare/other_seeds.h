#pragma once

#include <filesystem>
#include <string>

#include "fi/features/seed_stability.h"
#include "fi/training/train_dictionary.h"

namespace fi {

inline constexpr const char* kSeedsFile =
    "seeds.json";  // layer_NN/: SeedStability of every latent, where there is more than one seed
inline constexpr int64_t kMaxSeeds = 32;

/// kUsage unless --seeds is 1 to kMaxSeeds.
void check_num_seeds(const std::string& operation, int64_t num_seeds);

/// Trains num_seeds - 1 siblings of the dictionary in `folder`, on the same rows with the seeds after its own, into
/// `folder`/seed_NN/, and writes `folder`/seeds.json: which of its latents they have too. A sibling that is complete, of the same
/// settings, is kept with `options.resume`. With one seed nothing is trained, and an old seeds.json goes.
SeedStability train_other_seeds(const ActivationStore& store, const std::filesystem::path& folder,
                                const DictionaryOptions& options, int64_t num_seeds, ProgressSink& progress);

/// "1103 of 1804 latents are in all 3 seeds (cosine 0.7 or more)". `counted` [num_latents] says which; empty: all.
std::string stability_words(const SeedStability& stability, const std::vector<bool>& counted);

}  // namespace fi
