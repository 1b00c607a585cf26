#pragma once

#include <ATen/ATen.h>

#include <memory>

#include "fi/model/attend.h"
#include "fi/model/linear.h"
#include "fi/model/model_config.h"
#include "fi/model/rope.h"

namespace fi {

/// Causal self-attention with grouped key/value heads, rotary positions, optional biases, per-head q/k norms and sliding window.
class Attention {
 public:
  Attention(const Weights& weights, const ModelConfig& config, bool is_local, std::shared_ptr<const RotaryTable> rotary);

  /// x [rows, d_model] -> [rows, d_model]. `cache` may be null.
  at::Tensor operator()(const at::Tensor& x, const RowLayout& layout, LayerCache* cache) const;

  Linear query, key, value, output;

 private:
  at::Tensor query_norm_, key_norm_;  // [head_dim] or undefined
  std::shared_ptr<const RotaryTable> rotary_;
  int64_t num_heads_, num_kv_heads_, head_dim_;
  double norm_epsilon_;
  AttentionRule rule_;
};

}  // namespace fi
