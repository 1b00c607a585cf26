#pragma once

#include <string>

#include "fi/core/json.h"
#include "fi/core/progress.h"

namespace fi {

/// What `feature-interpreter import` is asked for.
struct ImportRequest {
  std::string source;       // folder or file of a dictionary that was trained anywhere (fi/dictionary/import_dictionary.h)
  std::string scales;       // "0.21,0.24": of a dictionary that does not hold its own
  std::string activations;  // stored rows, to estimate these scales from; may be empty
  std::string layer;        // which of several stored ones
  std::string out = "dictionary";
};

/// Writes the dictionary to `out` in the canonical layout (fi/dictionary/canonical_file.h), its scales with it. Returns {format,
/// num_models, d_model, num_latents, sparsity, hook_point, scales, scaling, folder}. Errors of `import_dictionary` and
/// `complete_scaling`.
Json convert_dictionary(const ImportRequest& request, ProgressSink& progress);

}  // namespace fi
