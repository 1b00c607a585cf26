#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fi/claims/report_data.h"
#include "fi/compare/options.h"
#include "fi/core/progress.h"
#include "fi/hub/model_files.h"
#include "fi/model/decoder.h"
#include "fi/tokenizer/tokenizer.h"

namespace fi {

/// One of the two models, ready to run.
struct LoadedModel {
  ModelFiles files;
  Decoder decoder;
  std::shared_ptr<const Tokenizer> tokenizer;
};

struct ModelPair {
  LoadedModel base;
  LoadedModel target;
  std::string relation;       // as in the report
  std::string relation_note;  // the evidence for it, in a sentence
  std::vector<WeightChangeRow> weight_changes;
};

/// The base's files, from disk or the hub. kUsage if the options name no base.
ModelFiles resolve_base(const CompareOptions& options, ProgressSink& progress = silent_progress());

/// The files of both models; the target may be an adapter of the base.
struct PairFiles {
  ModelFiles base;
  ModelFiles target;
};
PairFiles resolve_pair(const CompareOptions& options, ProgressSink& progress = silent_progress());

/// The base alone.
LoadedModel load_base(const CompareOptions& options, ProgressSink& progress);

/// Both, without a look at how they are related. An adapter of the base, and a base compared with itself, share the base's
/// weights.
struct BothModels {
  LoadedModel base;
  LoadedModel target;
};
BothModels load_both(const CompareOptions& options, ProgressSink& progress);

/// Both, and how they are related.
ModelPair load_pair(const CompareOptions& options, ProgressSink& progress);

/// SHA-256 over a model's weight files, those of its adapter included: equal if and only if every one is the same.
std::string weights_sha256(const ModelFiles& files);
/// The same over its small files: configs, tokenizer, chat template.
std::string settings_sha256(const ModelFiles& files);

/// What the report says about a model.
ModelIdentity identify(const LoadedModel& model, const std::string& first_prompt);

}  // namespace fi
