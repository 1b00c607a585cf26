#pragma once

#include <filesystem>

#include "fi/activations/activation_store.h"
#include "fi/core/json_fields.h"
#include "fi/core/progress.h"
#include "fi/dictionary/quality.h"
#include "fi/training/train_crosscoder.h"

namespace fi {

inline constexpr const char* kQualityFile = "quality.json";

struct DictionaryOptions {
  TrainingConfig training;
  double held_out = 0.1;           // share of the rows that the quality is measured on, the last texts of the store
  int64_t checkpoint_every = 100;  // steps
  bool resume = false;
};

/// A trained dictionary on rows that it has not seen, beside what needs no training.
struct DictionaryReport {
  std::string hook_point;
  int64_t num_latents = 0;
  int64_t k = 0;
  int64_t num_steps = 0;
  int64_t num_training_rows = 0;
  DictionaryQuality crosscoder;
  DictionaryQuality pca;     // of rank k: as many numbers a row
  DictionaryQuality random;  // random directions, as many latents and codes a row
};

template <typename Visit>
void visit_fields(DictionaryReport& r, Visit&& visit) {
  visit("hook_point", r.hook_point);
  visit("num_latents", r.num_latents);
  visit("k", r.k);
  visit("num_steps", r.num_steps);
  visit("num_training_rows", r.num_training_rows);
  visit("crosscoder", r.crosscoder);
  visit("pca", r.pca);
  visit("random", r.random);
}

/// What a dictionary is held against: what needs no training.
struct BaselineDictionaries {
  Crosscoder pca;     // of rank k, at most as wide as the rows
  Crosscoder random;  // random directions, as many latents and codes a row
};

struct BaselineSize {
  int64_t num_latents = 0;
  int64_t k = 0;
  uint64_t seed = 0;
};

/// Fitted on some of the training rows, evenly spread: memory does not grow with the store.
BaselineDictionaries fit_baselines(const RowSource& training, const RowScaling& scaling, const BaselineSize& size);

/// Trains a crosscoder on the store's rows, normalised by its means and scales, and writes it to `folder` in the canonical layout
/// (fi/dictionary/canonical_file.h) with quality.json, which comes last, metrics.jsonl and checkpoints/. Resumed after whatever
/// stopped it, it gives the same bytes. kUsage if the store is too small to hold a text out; errors of `train_crosscoder`.
DictionaryReport train_dictionary(const ActivationStore& store, const std::filesystem::path& folder,
                                  const DictionaryOptions& options, ProgressSink& progress);

/// What train_dictionary left in `folder`. kNotFound or kInvalid.
DictionaryReport load_dictionary_report(const std::filesystem::path& folder);

}  // namespace fi
