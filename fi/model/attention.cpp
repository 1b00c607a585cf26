#include "fi/model/attention.h"

#include <cmath>
#include <limits>
#include <map>

#include "fi/model/norm.h"

namespace fi {
namespace {

constexpr double kMasked = -std::numeric_limits<double>::infinity();

// Sequences of equal length attend in one batch: [count, rows_each, heads, head_dim] -> [count, heads, rows_each, head_dim].
at::Tensor gather_sequences(const at::Tensor& x, const at::Tensor& rows, int64_t count) {
  return x.index_select(0, rows).view({count, -1, x.size(1), x.size(2)}).transpose(1, 2);
}

at::Tensor row_numbers(const std::vector<int64_t>& starts, int64_t length) {
  const at::Tensor first = at::tensor(at::ArrayRef<int64_t>(starts), at::kLong).unsqueeze(1);
  return first.add(at::arange(length, at::kLong)).view(-1);
}

// [length, length] additive mask of a causal window; undefined when plain causality is enough.
at::Tensor window_mask(int64_t length, std::optional<int64_t> window) {
  if (!window || length <= *window) return {};
  const at::Tensor position = at::arange(length, at::kLong);
  const at::Tensor distance = position.unsqueeze(1) - position.unsqueeze(0);
  return at::zeros({length, length}).masked_fill_((distance < 0).logical_or(distance >= *window), kMasked);
}

}  // namespace

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
      scale_(config.query_scale > 0.0 ? config.query_scale : 1.0 / std::sqrt(static_cast<double>(config.head_dim))),
      norm_epsilon_(config.norm_epsilon),
      window_(is_local ? config.sliding_window : std::nullopt) {}

at::Tensor Attention::operator()(const at::Tensor& x, const RowLayout& layout, LayerCache* cache) const {
  at::Tensor q = query(x).view({-1, num_heads_, head_dim_});
  at::Tensor k = key(x).view({-1, num_kv_heads_, head_dim_});
  const at::Tensor v = value(x).view({-1, num_kv_heads_, head_dim_});
  if (query_norm_.defined()) q = rms_norm(q, query_norm_, norm_epsilon_);
  if (key_norm_.defined()) k = rms_norm(k, key_norm_, norm_epsilon_);
  q = rotate(q, *rotary_, layout.positions);
  k = rotate(k, *rotary_, layout.positions);
  const bool is_decoding = layout.starts.empty();
  if (cache != nullptr) {
    const at::Tensor slots =
        is_decoding ? layout.slots
                    : layout.slots.repeat_interleave(at::tensor(at::ArrayRef<int64_t>(layout.starts), at::kLong).diff());
    cache->keys.index_put_({slots, at::indexing::Slice(), layout.positions}, k);
    cache->values.index_put_({slots, at::indexing::Slice(), layout.positions}, v);
  }
  const at::Tensor mixed = is_decoding ? attend_cached(q, layout, *cache) : attend_packed(q, k, v, layout);
  return output(mixed.reshape({-1, num_heads_ * head_dim_}));
}

at::Tensor Attention::attend_packed(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                    const RowLayout& layout) const {
  std::map<int64_t, std::vector<int64_t>> starts_by_length;
  for (size_t i = 0; i + 1 < layout.starts.size(); ++i) {
    starts_by_length[layout.starts[i + 1] - layout.starts[i]].push_back(layout.starts[i]);
  }
  at::Tensor mixed = at::empty_like(q);
  for (const auto& [length, starts] : starts_by_length) {
    if (length == 0) continue;
    const auto count = static_cast<int64_t>(starts.size());
    const at::Tensor rows = row_numbers(starts, length).to(q.device());
    const int64_t groups = num_heads_ / num_kv_heads_;
    const at::Tensor keys = gather_sequences(k, rows, count).repeat_interleave(groups, 1);
    const at::Tensor values = gather_sequences(v, rows, count).repeat_interleave(groups, 1);
    const at::Tensor mask = window_mask(length, window_);
    const at::Tensor result = at::scaled_dot_product_attention(
        gather_sequences(q, rows, count), keys, values, mask.defined() ? std::optional(mask.to(q.device())) : std::nullopt, 0.0,
        /*is_causal=*/!mask.defined(), scale_);
    mixed.index_copy_(0, rows, result.transpose(1, 2).reshape({-1, num_heads_, head_dim_}));
  }
  return mixed;
}

at::Tensor Attention::attend_cached(const at::Tensor& q, const RowLayout& layout, const LayerCache& cache) const {
  const int64_t num_slots = cache.keys.size(0);
  const int64_t length = layout.longest;
  const bool uses_all_slots = layout.slots.size(0) == num_slots;
  const auto rows_of = [&](const at::Tensor& cached) {
    const at::Tensor seen = cached.narrow(2, 0, length);
    return uses_all_slots ? seen : seen.index_select(0, layout.slots);
  };
  const int64_t groups = num_heads_ / num_kv_heads_;
  // [n, kv_heads, groups, head_dim]: the heads of one group read the same keys, so they form the rows of one small product.
  const at::Tensor grouped = q.view({-1, num_kv_heads_, groups, head_dim_});
  at::Tensor scores = at::matmul(grouped, rows_of(cache.keys).transpose(-1, -2)).mul_(scale_);
  const at::Tensor position = at::arange(length, layout.positions.options());
  const at::Tensor age = layout.positions.unsqueeze(1) - position.unsqueeze(0);  // [n, length]
  at::Tensor hidden = age < 0;
  if (window_) hidden = hidden.logical_or(age >= *window_);
  scores.masked_fill_(hidden.unsqueeze(1).unsqueeze(1), kMasked);
  return at::matmul(scores.softmax(-1), rows_of(cache.values)).view({-1, num_heads_, head_dim_});
}

}  // namespace fi
