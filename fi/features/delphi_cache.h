#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "fi/activations/activation_store.h"
#include "fi/core/progress.h"
#include "fi/dictionary/crosscoder.h"

namespace fi {

/// What was written.
struct DelphiCache {
  int64_t num_windows = 0;
  int64_t window = 0;           // tokens each
  int64_t num_activations = 0;  // codes above 0
  int64_t num_files = 0;
};

/// Writes a cache of latent activations as EleutherAI/delphi makes it, so that its explainers and scorers run on the dictionary:
/// `folder`/<first>_<last>.safetensors for each of `num_splits` ranges of latents, with `locations` [n, 3] I32 (window, position,
/// latent - first), `activations` [n] F16 (scaled codes) and `tokens` [num_windows, window] I64, and config.json last. All ids of
/// the texts stand end to end, cut into windows of 256 (fewer where there are fewer, always a multiple of 32: its examples); an
/// incomplete last window is left out, as delphi does. Rows that the store left out have no activations. kUsage for fewer than 32
/// tokens, kIncompatible if rows and texts do not belong together. Memory grows with the number of activations.
DelphiCache write_delphi_cache(const Crosscoder& crosscoder, const ActivationStore& store,
                               const std::vector<std::vector<int32_t>>& texts, const std::filesystem::path& folder,
                               ProgressSink& progress, int64_t num_splits = 5);

}  // namespace fi
