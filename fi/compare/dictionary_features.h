#pragma once

#include <string>

#include "fi/compare/options.h"
#include "fi/core/json.h"
#include "fi/core/progress.h"

namespace fi {

/// What `feature-interpreter features` is asked for.
struct FeaturesRequest {
  CompareOptions models;                               // the base: its tokenizer and unembedding give latents their words
  std::string dictionary;                              // folder or file, trained anywhere (fi/dictionary/import_dictionary.h)
  std::string scales;                                  // "0.21,0.24": of a dictionary that does not hold its own
  std::string activations = "feature_interpretation";  // a run's output folder, its activations folder, or one store
  std::string layer;                                   // which of several stored ones
  int64_t min_firings = 200;                           // a latent with fewer gets no class
  std::string out = "features";
};

/// Classes every latent of a dictionary on stored rows and shows the latents that differ: writes `out`/classes.json and
/// `out`/latents.json (fi/compare/latents.h), and returns the latter. Rows on which the dictionary was trained, as its manifest
/// says, are left out. kNotFound without rows or dictionary, kUsage if a layer must be chosen, kIncompatible if the dictionary is
/// of another width, hook point or tokenizer, or the base of another tokenizer than the rows.
Json features_of_dictionary(const FeaturesRequest& request, ProgressSink& progress);

}  // namespace fi
