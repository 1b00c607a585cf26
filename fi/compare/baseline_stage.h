#pragma once

#include <filesystem>

#include "fi/compare/options.h"
#include "fi/core/json.h"
#include "fi/core/progress.h"

namespace fi {

/// Races the simple ways to say where the strongest located change lies against the crosscoder that was trained there
/// (fi/intervene/baseline_race.h): difference in means, PCA of the difference, a random subspace, the whole residual stream; each
/// made on the change's discovery prompts, all tested on its confirmation prompts. Writes features/baselines.json: {"identity",
/// "layer", "rows": [{"method", "num_directions", "kl_removed", "ci_low", "ci_high", "kl_per_direction", "discrimination"}]}.
/// Loads both models, unless no change was located, or `reuse` and the file is of the same change and dictionary.
void race_baselines(const CompareOptions& options, const std::filesystem::path& activations,
                    const std::filesystem::path& features, bool reuse, ProgressSink& progress);

/// That document if it belongs to what `activations` holds now, else one without rows.
Json read_baselines(const std::filesystem::path& activations, const std::filesystem::path& features);

}  // namespace fi
