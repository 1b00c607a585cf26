// The code of docs/extending.md, word for word.
#include <gtest/gtest.h>

#include "fi/behaviour/detector.h"
#include "fi/model/families/family.h"
#include "fi/model/read_config.h"

namespace fi {
namespace {

/// Tern: Llama whose every layer sees a window of tokens, where its config names one. GGUF files of it call themselves llama.
Family tern_family() {
  return {.name = "tern", .model_types = {"tern"}, .adjust = [](ModelConfig& config) {
            if (config.sliding_window) config.is_local.assign(static_cast<size_t>(config.num_layers), true);
          }};
}

TEST(Extending, TernLayersSeeAWindow) {
  const Json config = parse_json(R"({"model_type": "tern", "vocab_size": 64, "hidden_size": 32, "num_hidden_layers": 2,
      "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 48, "sliding_window": 16})",
                                 "test", "config.json");
  const ModelConfig read = config_from_json(config, tern_family(), "config.json");
  EXPECT_EQ(read.is_local, std::vector<bool>({true, true}));
  EXPECT_EQ(read.sliding_window, 16);
}

TEST(Extending, TwoWordsOfTeaAreTalkOfTea) {
  const Json library = parse_json(R"({"concepts": [{"id": "tea", "capability": "talk of tea", "shows": "talks about tea",
      "group": "topic", "definition": "Two words of tea.", "lexicon": ["tea", "earl grey", "teapot"], "min_hits": 2}]})",
                                  "test", "concepts.json");
  const DetectorList detectors = detectors_from_json(library, "concepts.json");
  EXPECT_EQ(detectors.front()->measure("A drink?", "Earl grey, from the teapot."), 1.0);
  EXPECT_EQ(detectors.front()->measure("A drink?", "A cup of tea."), 0.0);
}

}  // namespace
}  // namespace fi
