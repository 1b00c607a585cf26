#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "fi/core/progress.h"
#include "fi/model/decoder.h"

namespace fi {

struct GenerateOptions {
  int64_t max_new_tokens = 64;
  double temperature = 0.0;  // 0: greedy
  double top_p = 1.0;
  uint64_t seed = 0;  // of sampling; the prompt's index is its stream, so batching does not change answers
  int64_t batch_size = 64;
  TokenIds stop_ids;  // generation of a sequence ends before any of these
};

struct Generation {
  TokenIds ids;          // without the stop token
  bool stopped = false;  // false: cut at max_new_tokens, or where the model's positions end
};

/// Continues every prompt. Results keep the order of `prompts`; equal for any batch_size. Progress is counted in answers. kUsage
/// for prompts without tokens or longer than the model reads.
std::vector<Generation> generate(const Decoder& model, std::span<const TokenIds> prompts, const GenerateOptions& options,
                                 ProgressSink& progress);

}  // namespace fi
