#include "fi/model/kv_cache.h"

#include <algorithm>
#include <cstring>

namespace fi {
namespace {

// Rows [first, first + count) of every head, packed or in a slot: [num_kv_heads, count, head_dim].
at::Tensor heads_first(const at::Tensor& rows, int64_t first, int64_t count) {
  return rows.narrow(0, first, count).transpose(0, 1);
}

void copy_rows(const at::Tensor& from, at::Tensor& cache, const RowLayout& layout) {
  const int64_t heads = cache.size(1), capacity = cache.size(2), width = cache.size(3);
  const float* source = from.const_data_ptr<float>();
  for (size_t i = 0; i < layout.num_sequences(); ++i) {
    for (int64_t row = layout.starts[i]; row < layout.starts[i + 1]; ++row) {
      const int64_t position = layout.past_of(i) + row - layout.starts[i];
      for (int64_t head = 0; head < heads; ++head, source += width) {
        float* place = cache.mutable_data_ptr<float>() + ((layout.slots[i] * heads + head) * capacity + position) * width;
        std::memcpy(place, source, static_cast<size_t>(width) * sizeof(float));
      }
    }
  }
}

at::Tensor grown(const at::Tensor& old, int64_t capacity) {
  at::Tensor larger = at::zeros({old.size(0), old.size(1), capacity, old.size(3)}, old.options());
  larger.narrow(2, 0, old.size(2)).copy_(old);
  return larger;
}

}  // namespace

void LayerCache::append(const at::Tensor& k, const at::Tensor& v, const RowLayout& layout) {
  if (keys.is_cpu()) {
    copy_rows(k.contiguous(), keys, layout);
    copy_rows(v.contiguous(), values, layout);
    return;
  }
  for (size_t i = 0; i < layout.num_sequences(); ++i) {
    const int64_t count = layout.rows_of(i);
    keys[layout.slots[i]].narrow(1, layout.past_of(i), count).copy_(heads_first(k, layout.starts[i], count));
    values[layout.slots[i]].narrow(1, layout.past_of(i), count).copy_(heads_first(v, layout.starts[i], count));
  }
}

KvCache::KvCache(const ModelConfig& config, int64_t num_slots, at::Device device) {
  const auto options = at::TensorOptions().dtype(at::kFloat).device(device);
  for (int64_t i = 0; i < config.num_layers; ++i) {
    const at::Tensor none = at::zeros({num_slots, config.num_kv_heads, 0, config.head_dim}, options);
    layers_.push_back({none, none});
  }
}

void KvCache::reserve(int64_t capacity) {
  if (capacity <= capacity_) return;
  capacity_ = std::max(capacity, capacity_ + capacity_ / 4);
  for (LayerCache& layer : layers_) layer = {grown(layer.keys, capacity_), grown(layer.values, capacity_)};
}

void KvCache::copy_prefix(int64_t from, int64_t to, int64_t length) {
  for (LayerCache& layer : layers_) {
    layer.keys[to].narrow(1, 0, length).copy_(layer.keys[from].narrow(1, 0, length));
    layer.values[to].narrow(1, 0, length).copy_(layer.values[from].narrow(1, 0, length));
  }
}

}  // namespace fi
