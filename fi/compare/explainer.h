#pragma once

#include <memory>

#include "fi/compare/models.h"
#include "fi/core/json.h"
#include "fi/core/progress.h"
#include "fi/explain/described_name.h"

namespace fi {

/// The chat model that the options name, with what it needs to be asked.
struct OptionalExplainer {
  std::unique_ptr<HttpClient> client;
  std::unique_ptr<ChatModel> model;
  std::unique_ptr<Explainer> explainer;  // nothing without --explainer
};

/// A server's model, whose key comes from FI_EXPLAINER_KEY, else OPENAI_API_KEY, and for which no socket is opened before its
/// first question; or one of the two that are compared, which must outlive it.
OptionalExplainer explainer_for(const CompareOptions& options, const LoadedModel& base, const LoadedModel& target,
                                ProgressSink& progress);

/// What the report calls the chat model of the options; empty without one.
std::string explainer_name(const CompareOptions& options);

/// kUsage unless the options name "base" or "target", or an https address, or one on this machine, and a model; with --offline,
/// only one on this machine.
void check_explainer(const CompareOptions& options);

/// What became of the features that it was asked about, for the report; null where it was asked about none. `features` are
/// entries of directions.json and latents.json.
Json explainer_notes(const std::string& model, const std::vector<Json>& features);

}  // namespace fi
