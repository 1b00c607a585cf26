#pragma once

#include <string>
#include <vector>

#include "fi/compare/options.h"
#include "fi/core/json.h"
#include "fi/core/progress.h"

namespace fi {

struct CalibrateRequest {
  CompareOptions
      options;  // base_model, and what a comparison takes: budget, prompts, threshold, device, seed; output_dir for the runs
  std::vector<std::string> runs;  // finished runs whose stored answers are shuffled, beside those made here
  int64_t num_shuffles = 100;     // of every run's answers
};

/// Measures how often the tool claims what is not there: compares the model with itself, with itself after rounding its weights
/// to int8 (per row) and to bf16, and analyses the stored answers of these and of other runs with shuffled labels. Writes
/// <output_dir>/calibration.json and a copy in the user's cache, where comparisons of this base find it. Returns the document:
/// {"model", "sha256", "budget", "feature_threshold", "tests": [{"kind", "trials", "with_claim", "claims", "verified", "rate",
/// "ci_low", "ci_high"}]}. kUnsupported for a model that is not in safetensors files.
Json calibrate(const CalibrateRequest& request, ProgressSink& progress);

}  // namespace fi
