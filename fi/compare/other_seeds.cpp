#include "fi/compare/other_seeds.h"

#include <algorithm>

#include "fi/core/error.h"
#include "fi/dictionary/canonical_file.h"
#include "fi/io/atomic_file.h"

namespace fi {
namespace {

namespace fs = std::filesystem;

// Its checkpoints went when it was complete.
bool is_complete(const fs::path& sibling, const DictionaryOptions& options) {
  return options.resume && fs::is_regular_file(sibling / kQualityFile) &&
         load_dictionary_report(sibling).num_steps == options.training.num_steps;
}

Crosscoder sibling_of(const ActivationStore& store, const fs::path& folder, const DictionaryOptions& options,
                      ProgressSink& progress) {
  if (!is_complete(folder, options)) train_dictionary(store, folder, options, progress);
  fs::remove_all(folder / "checkpoints");
  return load_crosscoder(folder);
}

}  // namespace

void check_num_seeds(const std::string& operation, int64_t num_seeds) {
  check(num_seeds >= 1 && num_seeds <= kMaxSeeds, ErrorCode::kUsage, "[{}] --seeds got {}, expected 1 to {}.", operation,
        num_seeds, kMaxSeeds);
}

SeedStability train_other_seeds(const ActivationStore& store, const fs::path& folder, const DictionaryOptions& options,
                                int64_t num_seeds, ProgressSink& progress) {
  fs::remove(folder / kSeedsFile);
  const Crosscoder crosscoder = load_crosscoder(folder);
  std::vector<Crosscoder> siblings;
  for (int64_t i = 1; i < num_seeds; ++i) {
    DictionaryOptions sibling = options;
    sibling.training.seed += static_cast<uint64_t>(i);
    siblings.push_back(sibling_of(store, folder / fmt::format("seed_{:02}", sibling.training.seed), sibling, progress));
  }
  SeedStability stability = seed_stability(crosscoder, siblings);
  if (num_seeds > 1) write_file_atomically(folder / kSeedsFile, fields_to_json(stability).dump());
  return stability;
}

std::string stability_words(const SeedStability& stability, const std::vector<bool>& counted) {
  int64_t num_counted = 0, num_everywhere = 0;
  for (size_t j = 0; j < stability.found.size(); ++j) {
    if (!counted.empty() && !counted[j]) continue;
    ++num_counted;
    num_everywhere += stability.found[j] == stability.num_seeds;
  }
  return fmt::format("{} of {} latents are in all {} seeds (cosine {} or more)", num_everywhere, num_counted, stability.num_seeds,
                     stability.min_cosine);
}

}  // namespace fi
