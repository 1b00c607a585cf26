#include <cmath>

#include "fi/model/families/family.h"

namespace fi {

/// Gemma 1: gelu, norm weights stored less one, embeddings scaled by sqrt(d_model). Its configs say "gelu" and mean the tanh
/// form.
Family gemma_family() {
  return {.name = "gemma",
          .model_types = {"gemma"},
          .gguf_architecture = "gemma",
          .adjust =
              [](ModelConfig& config) {
                config.activation = Activation::kGeluTanh;
                config.embedding_scale = std::sqrt(static_cast<double>(config.d_model));
              },
          .tied_by_default = true,
          .norm_offset = 1.0};
}

}  // namespace fi
