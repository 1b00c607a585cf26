#pragma once

#include <string>
#include <vector>

#include "fi/compare/options.h"
#include "fi/core/json.h"
#include "fi/core/progress.h"

namespace fi {

struct AnswerRequest {
  CompareOptions
      models;  // base_model; target_model or target_adapter for answers side by side; device, quantization, cache, seed
  std::vector<std::string> prompts;
  int64_t max_new_tokens = 64;
  double temperature = 0.0;  // 0: greedy
  double top_p = 1.0;
};

/// {"models": {"base", "target"?}, "answers": [{"prompt", "base", "target"?}]}: each prompt in the model's own chat template.
/// kUsage for values out of range and for a request without prompts.
Json generate_answers(const AnswerRequest& request, ProgressSink& progress);

}  // namespace fi
