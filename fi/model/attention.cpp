#include "fi/model/attention.h"

#include <cmath>

#include "fi/model/norm.h"

namespace fi {

Attention::Attention(const Weights& weights, const ModelConfig& config, bool is_local, std::shared_ptr<const RotaryTable> rotary)
    : query(take_linear(weights, "q_proj", config.num_heads * config.head_dim, config.d_model)),
      key(take_linear(weights, "k_proj", config.num_kv_heads * config.head_dim, config.d_model)),
      value(take_linear(weights, "v_proj", config.num_kv_heads * config.head_dim, config.d_model)),
      output(take_linear(weights, "o_proj", config.d_model, config.num_heads * config.head_dim)),
      query_norm_(weights.take_if_there("q_norm.weight", {config.head_dim})),
      key_norm_(weights.take_if_there("k_norm.weight", {config.head_dim})),
      rotary_(std::move(rotary)),
      num_heads_(config.num_heads),
      num_kv_heads_(config.num_kv_heads),
      head_dim_(config.head_dim),
      norm_epsilon_(config.norm_epsilon),
      rule_{.scale = config.query_scale > 0.0 ? config.query_scale : 1.0 / std::sqrt(static_cast<double>(config.head_dim)),
            .window = is_local ? config.sliding_window : std::nullopt} {}

at::Tensor Attention::operator()(const at::Tensor& x, const RowLayout& layout, LayerCache* cache) const {
  at::Tensor q = query(x).view({-1, num_heads_, head_dim_});
  at::Tensor k = key(x).view({-1, num_kv_heads_, head_dim_});
  const at::Tensor v = value(x).view({-1, num_kv_heads_, head_dim_});
  if (query_norm_.defined()) q = rms_norm(q, query_norm_, norm_epsilon_);
  if (key_norm_.defined()) k = rms_norm(k, key_norm_, norm_epsilon_);
  q = rotate(q, *rotary_, layout.positions);
  k = rotate(k, *rotary_, layout.positions);
  if (cache != nullptr) cache->append(k, v, layout);
  const at::Tensor mixed = cache != nullptr && layout.is_one_row_each() ? attend_newest(q, layout, *cache, rule_)
                                                                        : attend_sequences(q, k, v, layout, cache, rule_);
  return output(mixed.view({-1, num_heads_ * head_dim_}));
}

}  // namespace fi
