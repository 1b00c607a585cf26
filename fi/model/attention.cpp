#include "fi/model/attention.h"

#include <cmath>

namespace fi {

Attention::Attention(const Weights& weights, const ModelConfig& config, bool is_local, std::shared_ptr<const RotaryTable> rotary)
    : query(take_linear(weights, "q_proj", config.num_heads * config.head_dim, config.d_model)),
      key(take_linear(weights, "k_proj", config.num_kv_heads * config.head_dim, config.d_model)),
      value(take_linear(weights, "v_proj", config.num_kv_heads * config.head_dim, config.d_model)),
      output(take_linear(weights, "o_proj", config.d_model, config.num_heads * config.head_dim)),
      query_norm(
          take_norm_if_there(weights, "q_norm", (config.norms_whole_query ? config.num_heads : 1) * config.head_dim, config)),
      key_norm(
          take_norm_if_there(weights, "k_norm", (config.norms_whole_query ? config.num_kv_heads : 1) * config.head_dim, config)),
      rotary_(std::move(rotary)),
      head_dim_(config.head_dim),
      rule_{.scale = config.query_scale > 0.0 ? config.query_scale : 1.0 / std::sqrt(static_cast<double>(config.head_dim)),
            .window = is_local ? config.sliding_window : std::nullopt,
            .soft_cap = config.attention_soft_cap} {}

at::Tensor Attention::operator()(const at::Tensor& x, const RowLayout& layout, LayerCache* cache) const {
  const at::Tensor q = place(query(x), query_norm, layout.positions);
  const at::Tensor k = place(key(x), key_norm, layout.positions);
  const at::Tensor v = value(x).view({x.size(0), -1, head_dim_});
  if (cache != nullptr) cache->append(k, v, layout);
  const at::Tensor mixed = cache != nullptr && layout.is_one_row_each() ? attend_newest(q, layout, *cache, rule_)
                                                                        : attend_sequences(q, k, v, layout, cache, rule_);
  return output(mixed.view({x.size(0), -1}));
}

// q or k [rows, heads * head_dim], normed over the norm's own width and rotated to its place -> [rows, heads, head_dim].
at::Tensor Attention::place(const at::Tensor& projected, const Norm& norm, const at::Tensor& positions) const {
  const int64_t rows = projected.size(0);
  const at::Tensor normed = norm.defined() ? norm(projected.view({rows, -1, norm.weight.size(0)})) : projected;
  const at::Tensor heads = normed.view({rows, -1, head_dim_});
  return rotary_ ? rotate(heads, *rotary_, positions) : heads;
}

}  // namespace fi
