#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "fi/model/linear.h"
#include "fi/model/model_config.h"
#include "fi/model/rope.h"

namespace fi {

/// Keys and values of one layer for sequences that are being continued, one slot a sequence.
struct LayerCache {
  at::Tensor keys;    // [num_slots, num_kv_heads, capacity, head_dim]
  at::Tensor values;  // the same
};

/// One pass's view of where rows stand: packed sequences that begin here, or one new token each for cached sequences.
struct RowLayout {
  at::Tensor positions;         // [rows] int64, position of every row in its sequence
  std::vector<int64_t> starts;  // [num_sequences + 1] rows of packed sequences; empty when decoding
  at::Tensor slots;             // [num_sequences] int64 cache slots; undefined: nothing is cached
  int64_t longest = 0;          // when decoding: largest position + 1
};

/// Causal self-attention with grouped key/value heads, rotary positions, optional biases, per-head q/k norms and sliding window.
class Attention {
 public:
  Attention(const Weights& weights, const ModelConfig& config, bool is_local, std::shared_ptr<const RotaryTable> rotary);

  /// x [rows, d_model] -> [rows, d_model]. `cache` may be null.
  at::Tensor operator()(const at::Tensor& x, const RowLayout& layout, LayerCache* cache) const;

  Linear query, key, value, output;

 private:
  at::Tensor attend_packed(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const RowLayout& layout) const;
  at::Tensor attend_cached(const at::Tensor& q, const RowLayout& layout, const LayerCache& cache) const;

  at::Tensor query_norm_, key_norm_;  // [head_dim] or undefined
  std::shared_ptr<const RotaryTable> rotary_;
  int64_t num_heads_, num_kv_heads_, head_dim_;
  double scale_, norm_epsilon_;
  std::optional<int64_t> window_;  // tokens that a row sees, itself included
};

}  // namespace fi
