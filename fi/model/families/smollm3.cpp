#include "fi/model/families/family.h"

namespace fi {
namespace {

constexpr int64_t kNoRopeEvery = 4;

void adjust(ModelConfig& config) {
  config.sliding_window.reset();  // used by none of the published models
  config.is_local.clear();
  if (!config.has_rope.empty()) return;
  for (int64_t i = 1; i <= config.num_layers; ++i) config.has_rope.push_back(i % kNoRopeEvery != 0);
}

}  // namespace

/// SmolLM3: Llama in which every fourth layer has no positions (NoPE).
Family smollm3_family() {
  return {.name = "smollm3",
          .model_types = {"smollm3"},
          .gguf_architecture = "smollm3",
          .adjust = adjust,
          .tied_by_default = true,
          .gguf_rotary_pairs = true};
}

}  // namespace fi
