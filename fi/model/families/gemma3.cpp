#include "fi/model/families/family.h"

namespace fi {
namespace {

constexpr size_t kGlobalEvery = 6;       // every sixth layer sees everything, the others a window
constexpr double kLocalTheta = 10000.0;  // GGUF metadata lack it

void adjust(ModelConfig& config) {
  config.activation = "gelu_tanh";
  if (config.rope_local_theta == 0.0) config.rope_local_theta = kLocalTheta;
  if (!config.is_local.empty()) return;
  for (size_t i = 0; i < static_cast<size_t>(config.num_layers); ++i) config.is_local.push_back((i + 1) % kGlobalEvery != 0);
}

}  // namespace

/// Gemma 3 (text): four norms a block, norms on q and k, local layers between global ones, embeddings scaled by sqrt(d_model).
Family gemma3_family() {
  return {.name = "gemma3",
          .model_types = {"gemma3_text", "gemma3"},
          .gguf_architecture = "gemma3",
          .adjust = adjust,
          .norm_offset = 1.0,
          .scales_embedding = true};
}

}  // namespace fi
