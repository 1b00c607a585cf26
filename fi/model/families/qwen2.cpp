#include "fi/model/families/family.h"

namespace fi {

/// Qwen2 and Qwen2.5, and so the R1-Distill-Qwen models: Llama with biases on q, k and v.
Family qwen2_family() {
  return {.name = "qwen2", .model_types = {"qwen2"}, .gguf_architecture = "qwen2", .adjust = [](ModelConfig& config) {
            config.sliding_window.reset();  // listed in the configs, used by none of the published models
            config.is_local.clear();
          }};
}

}  // namespace fi
