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
  std::string layers;                                  // "12,20", "12+20"; empty: all that are stored
  int64_t num_latents = 4096;
  int64_t k = 32;
  int64_t steps = 500;
  int64_t batch_size = 2048;   // rows a step
  double learning_rate = 0.0;  // of Adam at its largest; 0: that of usual_config
  double weight_decay = -1.0;  // below 0: as usual_config says
  int64_t seed = 0;
  int64_t seeds = 1;                    // dictionaries trained from seeds that follow, to see which latents come back
  std::string sparsity = "batch_topk";  // or "l1", "jump_relu"
  double penalty = 0.0;                 // l1 and jump_relu: weight of scaled codes, or of the number of active latents
  double shared_latents = 0.0;          // share of latents with one decoder vector for both models
  bool resume = false;
  std::string out = "dictionary";
};

/// Trains a crosscoder on the stored rows of each layer. One layer: into `out` itself, else into `out`/layer_NN. Returns, for
/// each, the folder and its quality (fi/training/train_dictionary.h), with more than one seed "stability" in words, and where
/// models are named splice.json as "spliced" (fi/compare/splice_dictionary.h). kNotFound if there are no rows, or none of a
/// layer, or no texts to read with the models; kIncompatible if their tokenizer is not that of the rows.
Json train_on_stored_rows(const TrainRequest& request, ProgressSink& progress);

}  // namespace fi
