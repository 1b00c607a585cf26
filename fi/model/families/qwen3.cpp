#include "fi/model/families/family.h"

namespace fi {

/// Qwen3: norms on each head of q and k, no biases.
Family qwen3_family() {
  return {.name = "qwen3", .model_types = {"qwen3"}, .gguf_architecture = "qwen3", .adjust = [](ModelConfig& config) {
            config.sliding_window.reset();  // listed in the configs, used by none of the published models
            config.is_local.clear();
          }};
}

}  // namespace fi
