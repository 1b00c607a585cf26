#pragma once

#include <filesystem>
#include <string>

#include "fi/core/json.h"
#include "fi/dictionary/crosscoder.h"

namespace fi {

/// What cfg.json says of the model that a slice reads.
struct SaeLensPlace {
  std::string model_name;
  std::string hook_point;  // "resid_post.20": blocks.20.hook_resid_post there
};

/// The part of a dictionary that reads and writes one model, as an SAE on that model's raw rows with unit decoder norms: its
/// codes are the dictionary's scaled codes when the other models' rows are at their means (for a dictionary of one model:
/// always). num_models = 1, identity scaling, CodeNorm::kNone. kUnsupported for kLinear.
Crosscoder slice_of_model(const Crosscoder& crosscoder, int64_t model);

/// Writes `folder`/sae_weights.safetensors and cfg.json (SAELens 6) of that slice: `SAE.load_from_disk(folder)` reads it.
/// BatchTopK and jump relu become architecture "jumprelu", relu "standard", top k "topk".
void save_saelens_slice(const Crosscoder& crosscoder, int64_t model, const SaeLensPlace& place,
                        const std::filesystem::path& folder);

}  // namespace fi
