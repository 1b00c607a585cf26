#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "fi/compare/options.h"
#include "fi/core/json.h"
#include "fi/core/progress.h"

namespace fi {

struct SteerRequest {
  CompareOptions models;  // the two models of the run; device, quantization, cache
  std::filesystem::path run;
  std::string feature;  // id; empty: see claim
  int64_t claim = 0;    // 1 is the strongest; 0: the strongest located one, or else the strongest feature
  std::optional<double> strength;
  std::vector<std::string> prompts;
  int64_t max_new_tokens = 64;
};

/// Tries a feature, or the subspace of a claim, of a finished run on other prompts (fi/intervene/steering.h):
/// {"what", "layer", "rank", "strength", "answers": [{"prompt", "base", "steered", "target", "control", "gap", "share_closed",
/// "control_share_closed"}]}. kUsage for a bad request, kNotFound for a folder that is no finished run or for a feature or claim
/// that it has nothing to steer by, kIncompatible if its models are others.
Json steer_by_run(const SteerRequest& request, ProgressSink& progress);

}  // namespace fi
