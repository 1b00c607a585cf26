#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "fi/model/model_config.h"
#include "fi/model/row_layout.h"

namespace fi {

/// Keys and values of one layer for sequences that are being continued, one slot a sequence.
struct LayerCache {
  at::Tensor keys;    // [num_slots, num_kv_heads, capacity, head_dim]
  at::Tensor values;  // the same

  /// Writes the new rows' k and v [rows, num_kv_heads, head_dim] into the slots that the layout names.
  void append(const at::Tensor& k, const at::Tensor& v, const RowLayout& layout);
};

/// Keys and values of all layers. Slots have room for `capacity` tokens, which grows on demand.
class KvCache {
 public:
  KvCache(const ModelConfig& config, int64_t num_slots, at::Device device);

  LayerCache& layer(size_t i) { return layers_[i]; }
  void reserve(int64_t capacity);
  /// The first `length` tokens of slot `from` become those of slot `to`.
  void copy_prefix(int64_t from, int64_t to, int64_t length);

 private:
  std::vector<LayerCache> layers_;
  int64_t capacity_ = 0;
};

}  // namespace fi
