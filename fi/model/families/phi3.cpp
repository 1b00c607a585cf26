#include "fi/model/families/family.h"

namespace fi {

/// Phi-3 and Phi-4: q, k, v and gate, up are fused; a window in every layer if the config names one; longrope in the long ones.
Family phi3_family() {
  return {.name = "phi3",
          .model_types = {"phi3"},
          .gguf_architecture = "phi3",
          .adjust =
              [](ModelConfig& config) {
                config.is_local.assign(static_cast<size_t>(config.num_layers), config.sliding_window.has_value());
              },
          .gguf_names = {{".up_proj.", ".gate_up_proj."}},
          .fuses_qkv = true,
          .fuses_gate_up = true};
}

}  // namespace fi
