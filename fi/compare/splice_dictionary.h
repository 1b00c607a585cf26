#pragma once

#include <filesystem>
#include <optional>

#include "fi/activations/activation_store.h"
#include "fi/core/progress.h"
#include "fi/dictionary/crosscoder.h"
#include "fi/intervene/splice_quality.h"
#include "fi/model/decoder.h"
#include "fi/training/train_dictionary.h"

namespace fi {

inline constexpr const char* kSpliceFile = "splice.json";

/// A trained crosscoder with the rows and texts that it is of.
struct SpliceInputs {
  const std::filesystem::path& store_folder;
  const ActivationStore& store;
  const Crosscoder& crosscoder;
  const DictionaryReport& quality;  // says which rows were held out
  const LayerGroup& layers;
  uint64_t seed = 0;  // of the random dictionary
};

/// What both models lose when the crosscoder's reconstruction stands in place of their rows, on the held-out texts (the first of
/// them, about 2,000 tokens), beside PCA of rank k, a random dictionary of this size, each model's mean row and zeros. Replaced
/// are the rows that the store holds: the dictionary knows no others. Nothing where the store has no texts (rows of an older
/// version) or no answer follows these rows.
std::optional<SpliceReport> splice_dictionary(const SpliceInputs& inputs, const Decoder& base, const Decoder& target,
                                              ProgressSink& progress);

/// "base 0.981, target 0.975" of a replacement's loss recovered, and of its KL; "" if it is not there.
std::string recovered_text(const Json& splice, const std::string& name);
std::string kl_text(const Json& splice, const std::string& name);

/// How a report's settings speak of it; empty if there is none.
Json splice_notes(const Json& splice);

}  // namespace fi
