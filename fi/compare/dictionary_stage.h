#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "fi/compare/options.h"
#include "fi/core/json.h"
#include "fi/core/progress.h"

namespace fi {

/// Trains a crosscoder on the rows of every layer that the activations stage stored, and writes it to
/// features/crosscoder/layer_NN/: the dictionary with its quality (fi/training/train_dictionary.h), classes.json (every latent,
/// fi/features/find_features.h, on the held-out rows) and latents.json last (what a report shows of it). With more than one seed
/// its siblings lie in layer_NN/seed_NN/ and seeds.json says which latents they share. With `reuse` a dictionary of the same rows
/// and settings is kept, or its training resumed. Nothing where no rows are stored.
void train_dictionaries(const CompareOptions& options, const std::filesystem::path& activations,
                        const std::filesystem::path& features, bool reuse, ProgressSink& progress);

/// latents.json of every dictionary in `features` that was trained on the rows that `activations` holds now, by layer.
std::vector<Json> read_dictionaries(const std::filesystem::path& activations, const std::filesystem::path& features);

/// How the report's settings and limits speak of a dictionary: {"settings": ..., "not_seen": ...} of one latents.json.
Json dictionary_notes(const Json& latents);

}  // namespace fi
