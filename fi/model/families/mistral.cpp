#include "fi/model/families/family.h"

namespace fi {

/// Mistral: Llama in which every layer sees a sliding window, if the config names one. GGUF files of it call themselves llama.
Family mistral_family() {
  return {.name = "mistral", .model_types = {"mistral"}, .adjust = [](ModelConfig& config) {
            config.is_local.assign(static_cast<size_t>(config.num_layers), config.sliding_window.has_value());
          }};
}

}  // namespace fi
