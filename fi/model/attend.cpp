#include "fi/model/attend.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "fi/model/row_kernels.h"

namespace fi {
namespace {

constexpr float kMasked = -std::numeric_limits<float>::infinity();

// [rows, past + rows] additive mask; undefined where plain causality over equal lengths is enough.
at::Tensor mask_of(int64_t rows, int64_t past, const AttentionRule& rule, const at::TensorOptions& options) {
  const bool needs_window = rule.window && past + rows > *rule.window;
  if (past == 0 && !needs_window && rule.soft_cap == 0.0) return {};
  const at::Tensor blocked = at::full({rows, past + rows}, kMasked, options);
  const at::Tensor future = blocked.triu(past + 1);
  return needs_window ? future + blocked.tril(past - *rule.window) : future;
}

// One sequence: q [heads, rows, head_dim]; keys, values [kv_heads, past + rows, head_dim] -> [heads, rows, head_dim].
at::Tensor attend_one(const at::Tensor& q, const at::Tensor& keys, const at::Tensor& values, const AttentionRule& rule) {
  const int64_t heads = q.size(0), kv_heads = keys.size(0), length = keys.size(1);
  const auto every_head = [&](const at::Tensor& x) {
    return x.unsqueeze(1).expand({kv_heads, heads / kv_heads, length, x.size(2)}).reshape({heads, length, x.size(2)});
  };
  const at::Tensor mask = mask_of(q.size(1), length - q.size(1), rule, q.options());
  if (rule.soft_cap == 0.0) {
    return at::scaled_dot_product_attention(q.unsqueeze(0), every_head(keys).unsqueeze(0), every_head(values).unsqueeze(0),
                                            mask.defined() ? std::optional(mask) : std::nullopt, 0.0,
                                            /*is_causal=*/!mask.defined(), rule.scale)
        .squeeze(0);
  }
  const at::Tensor scores = at::matmul(q, every_head(keys).transpose(1, 2)).mul_(rule.scale / rule.soft_cap).tanh_();
  return at::matmul(scores.mul_(rule.soft_cap).add_(mask).softmax(-1), every_head(values));
}

void softmax_in_place(std::vector<float>& scores) {
  const float largest = *std::max_element(scores.begin(), scores.end());
  float total = 0.0f;
  for (float& score : scores) total += score = std::exp(score - largest);
  for (float& score : scores) score /= total;
}

// One query head over keys and values [count, width].
void attend_row(const float* query, const float* keys, const float* values, int64_t count, int64_t width,
                const AttentionRule& rule, std::vector<float>& scores, float* out) {
  scores.resize(static_cast<size_t>(count));
  const auto scale = static_cast<float>(rule.scale), cap = static_cast<float>(rule.soft_cap);
  score_rows(width, count, query, keys, scores.data());
  for (float& score : scores) score = cap > 0.0f ? cap * std::tanh(score * scale / cap) : score * scale;
  softmax_in_place(scores);
  mix_rows(width, count, scores.data(), values, out);
}

void attend_newest_on_cpu(const at::Tensor& q, const RowLayout& layout, const LayerCache& cache, const AttentionRule& rule,
                          at::Tensor& mixed) {
  const int64_t kv_heads = cache.keys.size(1), capacity = cache.keys.size(2), width = cache.keys.size(3);
  const int64_t groups = q.size(1) / kv_heads;
  const auto num_tasks = static_cast<int64_t>(layout.num_sequences()) * kv_heads;
  at::parallel_for(0, num_tasks, 1, [&](int64_t begin, int64_t end) {
    std::vector<float> scores;
    for (int64_t task = begin; task < end; ++task) {
      const auto sequence = static_cast<size_t>(task / kv_heads);
      const int64_t length = layout.past_of(sequence) + 1;
      const int64_t first = rule.window ? std::max<int64_t>(0, length - *rule.window) : 0;
      const int64_t place = ((layout.slots[sequence] * kv_heads + task % kv_heads) * capacity + first) * width;
      for (int64_t head = 0; head < groups; ++head) {
        const int64_t row = (task * groups + head) * width;
        attend_row(q.const_data_ptr<float>() + row, cache.keys.const_data_ptr<float>() + place,
                   cache.values.const_data_ptr<float>() + place, length - first, width, rule, scores,
                   mixed.mutable_data_ptr<float>() + row);
      }
    }
  });
}

}  // namespace

at::Tensor attend_sequences(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const RowLayout& layout,
                            const LayerCache* cache, const AttentionRule& rule) {
  at::Tensor mixed = at::empty_like(q);
  for (size_t i = 0; i < layout.num_sequences(); ++i) {
    const int64_t start = layout.starts[i], rows = layout.rows_of(i), past = layout.past_of(i);
    if (rows == 0) continue;
    const auto heads_first = [&](const at::Tensor& x) { return x.narrow(0, start, rows).transpose(0, 1); };
    const auto with_past = [&](const at::Tensor& fresh, const at::Tensor LayerCache::*kept) {
      if (past == 0) return heads_first(fresh);
      if (cache != nullptr) return (cache->*kept)[layout.slots[i]].narrow(1, 0, past + rows);
      return at::cat({fresh.index_select(0, layout.past_rows[i]).transpose(0, 1), heads_first(fresh)}, 1);
    };
    const at::Tensor keys = with_past(k, &LayerCache::keys), values = with_past(v, &LayerCache::values);
    mixed.narrow(0, start, rows).copy_(attend_one(heads_first(q), keys, values, rule).transpose(0, 1));
  }
  return mixed;
}

at::Tensor attend_newest(const at::Tensor& q, const RowLayout& layout, const LayerCache& cache, const AttentionRule& rule) {
  if (!q.is_cpu()) return attend_sequences(q, {}, {}, layout, &cache, rule);
  const at::Tensor rows = q.contiguous();
  at::Tensor mixed = at::empty_like(rows);
  attend_newest_on_cpu(rows, layout, cache, rule, mixed);
  return mixed;
}

}  // namespace fi
