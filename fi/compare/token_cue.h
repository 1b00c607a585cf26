#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "fi/activations/activation_store.h"
#include "fi/capture/row_reader.h"
#include "fi/compare/activation_view.h"
#include "fi/dictionary/layers_side_by_side.h"
#include "fi/diff/difference_directions.h"

namespace fi {

/// What a feature's strongest tokens do by themselves: each put somewhere into the answers of texts that leave the feature quiet.
struct TokenCue {
  TokenIds tokens;
  int64_t num_fired = 0;  // of these texts, where it then is half as strong as at its strongest
  int64_t num_texts = 0;
};

/// The largest activation of a feature on each text.
using LargestActivations = std::function<std::vector<double>(const std::vector<TracedText>&)>;

/// Nothing where fewer than four texts are quiet: a quarter as strong as the strongest, or less. `shown` are of `texts`.
std::optional<TokenCue> inject_tokens(const std::vector<ShownText>& shown, const std::vector<TracedText>& texts,
                                      const LargestActivations& largest, uint64_t seed);

/// The models that read texts with injected tokens.
struct CueReader {
  const Decoder& base;
  const Decoder& target;
  const std::vector<TracedText>& texts;  // that features are looked at on
  std::function<bool(int32_t)> is_special;

  /// The largest of `values_of` (paired rows -> [n]) on each text, without what all of `texts` begin with.
  std::vector<double> largest(const std::vector<TracedText>& changed, int64_t layer,
                              const std::function<at::Tensor(const PairedRows&)>& values_of) const;
};

/// A crosscoder's latents on texts that no rows were stored of.
struct LatentReader {
  RowReader& reader;
  const LayersSideBySide& dictionary;
  const StoreInfo& rows;  // that it was trained on

  /// The largest scaled code of a latent on each text, over rows that would have been stored.
  std::vector<double> largest(const std::vector<TracedText>& texts, int64_t latent) const;
};

/// For features that have a name: "token_cue" {"tokens", "num_fired", "num_texts"} in their entry. A name that speaks of more
/// than words is not borne out where the words alone do it (as sparse features of "reasoning" mostly are). `shown` are of
/// `texts`.
void add_token_cue(Json& entry, const std::vector<ShownText>& shown, const std::vector<TracedText>& texts,
                   const LargestActivations& largest, const Tokenizer& tokenizer, uint64_t seed);

}  // namespace fi
