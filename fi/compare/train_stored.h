#pragma once

#include <string>

#include "fi/compare/options.h"
#include "fi/core/json.h"
#include "fi/core/progress.h"

namespace fi {

/// What `feature-interpreter train` is asked for.
struct TrainRequest {
  CompareOptions models;                               // named: what the reconstruction does to them is measured as well
  std::string activations = "feature_interpretation";  // a run's output folder, its activations folder, or one store
  std::string layers;                                  // "12,20"; empty: every layer that is stored
  int64_t num_latents = 4096;
  int64_t k = 32;
  int64_t steps = 500;
  int64_t batch_size = 2048;  // rows a step
  int64_t seed = 0;
  bool resume = false;
  std::string out = "dictionary";
};

/// Trains a crosscoder on the stored rows of each layer. One layer: into `out` itself, else into `out`/layer_NN. Returns, for
/// each, the folder and its quality (fi/training/train_dictionary.h), and where models are named splice.json as "spliced"
/// (fi/compare/splice_dictionary.h). kNotFound if there are no rows, or none of a layer, or no texts
/// to read with the models; kIncompatible if their tokenizer is not that of the rows.
Json train_on_stored_rows(const TrainRequest& request, ProgressSink& progress);

}  // namespace fi
