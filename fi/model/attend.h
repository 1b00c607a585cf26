#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <optional>

#include "fi/model/kv_cache.h"
#include "fi/model/row_layout.h"

namespace fi {

/// How scores become weights.
struct AttentionRule {
  double scale = 1.0;             // of q.k
  std::optional<int64_t> window;  // tokens that a row sees, itself included; absent: all before it
  double soft_cap = 0.0;          // > 0: scores s become cap * tanh(s / cap)
};

/// Causal attention of q [rows, heads, head_dim] over each row's own sequence, packed without padding; -> like q. k and v are
/// [rows, kv_heads, head_dim]. Sequences with a past read keys and values from `cache`, which holds the new rows too; without a
/// cache, their past is `layout.past_rows` of this pass.
at::Tensor attend_sequences(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const RowLayout& layout,
                            const LayerCache* cache, const AttentionRule& rule);

/// The same where every sequence has one new row: a step of generation. Each row reads its own past and no padding.
at::Tensor attend_newest(const at::Tensor& q, const RowLayout& layout, const LayerCache& cache, const AttentionRule& rule);

}  // namespace fi
