#include <cmath>

#include "fi/model/families/family.h"

namespace fi {
namespace {

constexpr int64_t kGlobalEvery = 6;  // every sixth layer sees everything, the others a window

constexpr int64_t kLayersOfLargest = 62;

void adjust(ModelConfig& config) {
  // The largest model scales its queries by another width; GGUF does not say so.
  if (config.query_scale == 0.0 && config.num_layers == kLayersOfLargest)
    config.query_scale = 1.0 / std::sqrt(static_cast<double>(config.d_model / config.num_heads));
  config.activation = Activation::kGeluTanh;
  config.embedding_scale = std::sqrt(static_cast<double>(config.d_model));
  if (!config.is_local.empty()) return;
  // GGUF says neither which layers are local nor their rotary base.
  if (config.local_rope.theta == config.rope.theta) config.local_rope = RopeConfig{};
  for (int64_t i = 1; i <= config.num_layers; ++i) config.is_local.push_back(i % kGlobalEvery != 0);
}

}  // namespace

/// Gemma 3 (text): four norms a block, norms on q and k, local layers between global ones. Local layers have a rotary base of
/// their own (10,000, the default, where GGUF lacks it).
Family gemma3_family() {
  return {.name = "gemma3",
          .model_types = {"gemma3_text", "gemma3"},
          .gguf_architecture = "gemma3",
          .adjust = adjust,
          .tied_by_default = true,
          .norm_offset = 1.0,
          .has_norms_around = true};
}

}  // namespace fi
