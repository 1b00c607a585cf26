#pragma once

#include <algorithm>
#include <filesystem>
#include <optional>
#include <vector>

#include "fi/capture/aligned_text.h"
#include "fi/compare/analysis.h"
#include "fi/compare/budget.h"
#include "fi/compare/models.h"
#include "fi/prompts/prompt_set.h"
#include "fi/prompts/text_corpus.h"

namespace fi {

/// What the search for layers and causes starts from.
struct LocateInputs {
  const ModelPair& pair;
  const PromptSet& prompts;
  const Analysis& analysis;
  const Budget& budget;
  const CompareOptions& options;
  const std::filesystem::path& folder;      // activations/
  const std::optional<TextCorpus>& corpus;  // the user's own texts, for a crosscoder
};

/// At most `count` of `items`, evenly spread.
template <typename T>
std::vector<T> thinned(const std::vector<T>& items, int64_t count) {
  std::vector<T> kept;
  const auto wanted = std::min(items.size(), static_cast<size_t>(count));
  for (size_t i = 0; i < wanted; ++i) kept.push_back(items[i * items.size() / wanted]);
  return kept;
}

/// True if the two models read and predict the same ids.
bool has_equal_vocabulary(const ModelPair& pair);

/// How the two models read a text.
TokenizerPair tokenizers_of(const ModelPair& pair);

/// True if layers of the two models can be compared and exchanged: equal depth, width, vocabulary and tokenizer.
bool has_equal_shape(const ModelPair& pair);

/// Reads both models' residual streams over the same ids and writes what they say: layers.json (layer map, block by block
/// patching), localisation.json (transplants and causal tests of the strongest changes), directions.json (principal directions
/// of the difference at the layers that these point to), answer_kl.json (fi/compare/answer_kl.h) and rows/ (paired residual rows
/// for a crosscoder, if the budget has one). Where the shapes or tokenizers differ, layers.json holds the layers at equal depth
/// (fi/compare/depth.h), and the others but answer_kl.json and rows/ are empty: nothing can be exchanged between such models.
void write_layer_evidence(const LocateInputs& inputs, ProgressSink& progress);

}  // namespace fi
