#pragma once

#include <ATen/ATen.h>

#include <memory>

#include "fi/model/attend.h"
#include "fi/model/linear.h"
#include "fi/model/model_config.h"
#include "fi/model/norm.h"
#include "fi/model/rope.h"

namespace fi {

/// Causal self-attention with grouped key/value heads, rotary positions, optional biases, norms on q and k, sliding window and
/// soft cap.
class Attention {
 public:
  Attention(const Weights& weights, const ModelConfig& config, bool is_local, std::shared_ptr<const RotaryTable> rotary);

  /// x [rows, d_model] -> [rows, d_model]. `cache` may be null.
  at::Tensor operator()(const at::Tensor& x, const RowLayout& layout, LayerCache* cache) const;

  Linear query, key, value, output;
  Norm query_norm, key_norm;  // of each head, or of all as one; optional

 private:
  at::Tensor place(const at::Tensor& projected, const Norm& norm, const at::Tensor& positions) const;

  std::shared_ptr<const RotaryTable> rotary_;  // null: no positions
  int64_t head_dim_;
  AttentionRule rule_;
};

}  // namespace fi
