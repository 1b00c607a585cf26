#include "fi/model/families/family.h"

namespace fi {

/// Llama 1-3, SmolLM, TinyLlama and others of the same shape. GGUF permutes q and k for interleaved rotary pairs.
Family llama_family() {
  return {.name = "llama", .model_types = {"llama"}, .gguf_architecture = "llama", .gguf_rotary_pairs = true};
}

}  // namespace fi
