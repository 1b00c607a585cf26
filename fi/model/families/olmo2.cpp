#include "fi/model/families/family.h"

namespace fi {

/// OLMo 2: norms only after attention and feed-forward block, norms over the whole of q and k.
Family olmo2_family() {
  return {.name = "olmo2", .model_types = {"olmo2"}, .gguf_architecture = "olmo2", .adjust = [](ModelConfig& config) {
            config.norms_whole_query = true;
          }};
}

}  // namespace fi
