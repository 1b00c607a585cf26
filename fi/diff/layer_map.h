#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "fi/core/json.h"
#include "fi/core/progress.h"
#include "fi/model/decoder.h"

namespace fi {

/// A text that both models read with the same ids.
struct TracedText {
  TokenIds ids;
  int64_t answer_start = 0;  // first id of the answer; ids before it are the prompt and its template
  std::string category;
};

/// One layer, compared over every kept row (position 0, special tokens and norm outliers are masked).
struct LayerDifference {
  int64_t layer = 0;
  double relative_difference = 0.0;  // sqrt(sum |t - b|^2 / sum |b|^2)
  double noise_floor = 0.0;          // the same between the base and its copy with weights rounded to bf16
  double cosine = 1.0;               // mean cosine of rows after centring each model
  double linear_cka = 1.0;           // Kornblith et al., 2019, from streaming second moments where d_model allows, else NaN
  double base_norm = 0.0;            // root mean square row norm
  double target_norm = 0.0;
  at::Tensor mean_difference;  // [d_model]
};

struct CategoryDifference {
  std::string category;
  double token_kl = 0.0;  // mean KL(target || base) over answer positions, nats
  int64_t num_tokens = 0;
};

struct LayerMap {
  std::vector<LayerDifference> layers;
  std::vector<CategoryDifference> categories;
  double token_kl = 0.0;         // over all answer positions
  int64_t num_rows = 0;          // kept
  int64_t num_masked_first = 0;  // dropped: position 0
  int64_t num_masked_special = 0;
  int64_t num_masked_outliers = 0;
};

}  // namespace fi
