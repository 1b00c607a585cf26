#pragma once

#include <vector>

#include "fi/activations/activation_store.h"
#include "fi/compare/activation_view.h"
#include "fi/compare/models.h"
#include "fi/compare/token_cue.h"
#include "fi/core/json.h"
#include "fi/dictionary/layers_side_by_side.h"
#include "fi/features/find_features.h"
#include "fi/features/seed_stability.h"

namespace fi {

/// What the latents of a crosscoder are looked at with.
struct LatentInputs {
  const LayersSideBySide& dictionary;  // with the rows of `store`
  const ActivationStore& store;
  const FeatureTable& table;  // measured on the rows from `first_held_out` on
  int64_t first_held_out = 0;
  int64_t layer = 0;               // the last, where it reads several
  const SeedStability& stability;  // with one seed nothing is said of it
  const Decoder& base;
  const Tokenizer& tokenizer;  // the base's, of the rows' tokens
  const LoadedModel* target;   // needed only without a common space; null: what a vector of its own promotes there is not known
  const std::vector<ReadAnswer>& answers;  // of the texts; empty: not known
  Naming naming;
  const std::vector<TracedText>& texts;  // of the store
  const LatentReader* reader = nullptr;  // null: no tokens are injected into any text
};

/// Text and category of the rows from `first` on.
RowLabels row_labels(const ActivationStore& store, int64_t first);

/// How many latents are added, removed, modified, shared, undecided and dead.
Json counts_by_class(const FeatureTable& table);
/// Latents that fire, by the target's share of their decoder norm, in 20 bins from 0 to 1.
std::vector<int64_t> norm_share_bins(const FeatureTable& table);

/// The latents that a report shows: every one that is not alike in both models, strongest use first and at most `max_changed`,
/// then the `num_shared` that both models use most.
std::vector<int64_t> latents_to_show(const FeatureTable& table, size_t max_changed = 200, size_t num_shared = 8);

/// These latents as entries of a layer's latents.json, in the form of activations/directions.json: class and what it rests on,
/// use by both models and by category on held-out rows, promoted tokens (logit lens), texts with codes token by token, and a name
/// scored on texts that it was not chosen on.
std::vector<Json> latent_documents(const LatentInputs& inputs, const std::vector<int64_t>& latents);

}  // namespace fi
