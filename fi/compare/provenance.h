#pragma once

#include <string>
#include <vector>

#include "fi/claims/report_data.h"
#include "fi/core/json.h"
#include "fi/core/progress.h"
#include "fi/diff/weight_distance.h"
#include "fi/hub/model_files.h"
#include "fi/tokenizer/tokenizer.h"

namespace fi {

/// How two models are related, from configs, tokenizers and weight files; nothing is run and no model is built.
struct Provenance {
  std::string relation;                   // "identical", "adapter", "fine-tune", "sibling" or "unrelated"
  std::string relation_note;              // the evidence for it, in a sentence
  std::vector<WeightDistance> distances;  // empty where the shapes differ
};

Provenance examine(const ModelFiles& base, const Tokenizer& base_tokenizer, const ModelFiles& target,
                   const Tokenizer& target_tokenizer, ProgressSink& progress);

/// Of the matrices of the blocks: what the heat map shows. None where nothing changed.
std::vector<WeightChangeRow> weight_changes(const Provenance& provenance);

/// [{"layer", "matrix", "relative_change", "cosine"}], as the manifest keeps them.
Json to_json(const std::vector<WeightChangeRow>& rows);

/// True if both name the very same weight files.
bool same_files(const ModelFiles& a, const ModelFiles& b);

}  // namespace fi
