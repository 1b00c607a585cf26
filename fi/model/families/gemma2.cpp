#include <cmath>

#include "fi/model/families/family.h"

namespace fi {
namespace {

constexpr int64_t kLayersOfLargest = 46;

void adjust(ModelConfig& config) {
  // The largest model scales its queries by another width; GGUF does not say so.
  if (config.query_scale == 0.0 && config.num_layers == kLayersOfLargest)
    config.query_scale = 1.0 / std::sqrt(static_cast<double>(config.d_model / config.num_heads));
  config.activation = Activation::kGeluTanh;
  config.embedding_scale = std::sqrt(static_cast<double>(config.d_model));
  if (!config.is_local.empty()) return;
  for (int64_t i = 0; i < config.num_layers; ++i) config.is_local.push_back(i % 2 == 0);
}

}  // namespace

/// Gemma 2: Gemma with four norms a block, soft caps on scores and logits, and a window in every other layer.
Family gemma2_family() {
  return {.name = "gemma2",
          .model_types = {"gemma2"},
          .gguf_architecture = "gemma2",
          .adjust = adjust,
          .tied_by_default = true,
          .norm_offset = 1.0,
          .has_norms_around = true};
}

}  // namespace fi
