#pragma once

#include <string>
#include <vector>

#include "fi/compare/options.h"
#include "fi/core/json.h"
#include "fi/core/progress.h"

namespace fi {

struct CalibrateRequest {
  CompareOptions options;         // the model as base_model, and what a comparison takes; the runs go to output_dir
  std::vector<std::string> runs;  // finished runs whose stored answers are shuffled, beside those made here
  int64_t num_shuffles = 100;     // of every run's answers
};

/// Measures how often the tool claims what is not there: compares the model with itself, with itself after rounding its weights
/// to int8 (a scale a row), and analyses the stored answers of that pair and of other runs with shuffled labels. Writes
/// <output_dir>/calibration.json and a copy in the user's cache, where comparisons of this base find it. Returns the document:
/// {"model", "sha256", "budget", "feature_threshold", "tests": [{"kind", "trials", "with_claim", "claims", "verified", "rate",
/// "ci_low", "ci_high"}], "left_out"}. A GGUF model, whose weights are rounded already, has no pair of other precision.
Json calibrate(const CalibrateRequest& request, ProgressSink& progress);

}  // namespace fi
