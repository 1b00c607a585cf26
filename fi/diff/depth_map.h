#pragma once

#include <string>
#include <vector>

#include "fi/capture/aligned_text.h"
#include "fi/core/progress.h"
#include "fi/diff/layer_map.h"
#include "fi/tokenizer/token_map.h"

namespace fi {

/// A layer of the target beside the layer of the base at the same share of the depth.
struct DepthRow {
  int64_t target_layer = 0;
  int64_t base_layer = 0;
  double similarity = 0.0;  // linear CKA of the residual streams after both, over aligned positions
  double base_norm = 0.0;   // root mean square row norm
  double target_norm = 0.0;
};

/// Two models of any shapes and tokenizers, laid over each other.
struct DepthMap {
  std::vector<DepthRow> layers;        // one a layer of the target
  std::vector<CategoryKl> categories;  // over answer tokens that both models predict at the same place
  double token_kl = 0.0;               // mean over all of them, nats
  int64_t num_predictions = 0;
  int64_t num_answer_tokens = 0;  // of the base: what num_predictions is a part of
  int64_t num_rows = 0;           // aligned positions that similarities rest on
  double share_covered = 0.0;     // of the texts' bytes, by aligned positions
};

/// Each model reads the texts in its own ids. KL(target || base) is over the tokens that both have, as strings, and one more
/// event for all others: exact where the vocabularies are equal, else a lower bound. kUsage without texts.
DepthMap compare_depths(const Decoder& base, const Decoder& target, const TokenMap& tokens, const std::vector<AlignedText>& texts,
                        ProgressSink& progress);

}  // namespace fi
