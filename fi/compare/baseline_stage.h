#pragma once

#include <filesystem>
#include <optional>

#include "fi/claims/report_data.h"
#include "fi/compare/options.h"
#include "fi/core/progress.h"

namespace fi {

/// Races the simple ways to say where the strongest located change lies against the crosscoder that was trained there
/// (fi/intervene/baseline_race.h): difference in means, PCA of the difference, the activation difference lens (the mean
/// difference at the first tokens of unrelated plain text: Minder et al. 2025, "Narrow finetuning leaves clearly readable
/// traces"), a BatchTopK SAE on the difference, trained on the crosscoder's rows, a random subspace, the whole residual stream.
/// All but the lens and the dictionaries are made on the change's discovery prompts, all are tested on its confirmation prompts.
/// Writes features/baselines.json: {"identity", "layer", "rows": [{"method", "num_directions", "kl_removed", "ci_low", "ci_high",
/// "kl_per_direction", "discrimination"}]}. Loads both models, unless no change was located, or `reuse` and the file is of the
/// same change and dictionary.
void race_baselines(const CompareOptions& options, const std::filesystem::path& activations,
                    const std::filesystem::path& features, bool reuse, ProgressSink& progress);

/// What that file says if it belongs to what `activations` holds now and has rows. kInvalid for a damaged one.
std::optional<BaselinesRace> read_baselines(const std::filesystem::path& activations, const std::filesystem::path& features);

}  // namespace fi
