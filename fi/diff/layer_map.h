#pragma once

#include <functional>
#include <string>
#include <vector>

#include "fi/capture/traced_text.h"
#include "fi/core/progress.h"

namespace fi {

/// One layer, compared over every kept row.
struct LayerDifference {
  int64_t layer = 0;
  double relative_difference = 0.0;  // sqrt(sum |t - b|^2 / sum |b|^2)
  double noise_floor = 0.0;          // the same between the base and its copy with weights rounded to bf16
  double cosine = 1.0;               // sum (b - mean b).(t - mean t), over the root of the product of their sums of squares
  double base_norm = 0.0;            // root mean square row norm
  double target_norm = 0.0;
  at::Tensor mean_difference;  // [d_model], target - base
};

struct CategoryKl {
  std::string category;
  double token_kl = 0.0;  // mean KL(target || base) over answer tokens, nats
  int64_t num_tokens = 0;
};

/// The row of a category, appended where there is none yet.
CategoryKl& category_in(std::vector<CategoryKl>& rows, const std::string& category);

struct LayerMap {
  std::vector<LayerDifference> layers;
  std::vector<CategoryKl> categories;  // in order of first appearance
  int64_t num_tokens = 0;
  int64_t num_kept = 0;             // rows of the last layer that were compared
  int64_t num_masked_first = 0;     // dropped: position 0
  int64_t num_masked_special = 0;   // dropped: special tokens
  int64_t num_masked_outliers = 0;  // dropped: base row norm over 4 times the median, last layer
};

/// Reads every text with both models, and a third of them with `rounded`, the base in bf16 (for the noise floor). Memory does not
/// grow with the number of texts. kIncompatible unless the models have equal depth, width and vocabulary.
LayerMap compare_layers(const Decoder& base, const Decoder& target, const Decoder& rounded, const std::vector<TracedText>& texts,
                        const std::function<bool(int32_t)>& is_special, ProgressSink& progress);

}  // namespace fi
