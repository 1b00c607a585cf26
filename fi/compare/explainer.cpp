#include "fi/compare/explainer.h"

#include <cstdlib>

#include "fi/compare/compared_model.h"
#include "fi/core/error.h"
#include "fi/hub/hub_settings.h"

namespace fi {
namespace {

constexpr int64_t kFeaturesExplainedHere = 10;  // where this machine runs the chat model, too
constexpr int64_t kFeaturesExplained = 40;      // of a stage: two questions each, and a third where the name passes

bool is_compared_model(const std::string& explainer) { return explainer == "base" || explainer == "target"; }

std::string key_from_environment() {
  for (const char* name : {"FI_EXPLAINER_KEY", "OPENAI_API_KEY"}) {
    if (const char* key = std::getenv(name); key != nullptr && *key != '\0') return key;
  }
  return "";
}

}  // namespace

void check_explainer(const CompareOptions& options) {
  if (options.explainer.empty()) {
    check(options.explainer_model.empty(), ErrorCode::kUsage,
          "[options] --explainer-model got '{}' without an address; give --explainer, such as http://localhost:11434/v1.",
          options.explainer_model);
    return;
  }
  if (is_compared_model(options.explainer)) {
    check(options.explainer_model.empty(), ErrorCode::kUsage,
          "[options] --explainer-model got '{}', but --explainer {} is a model already; leave one of them out.",
          options.explainer_model, options.explainer);
    return;
  }
  const bool is_local = options.explainer.starts_with("http://") && is_loopback(options.explainer);
  check(options.explainer.starts_with("https://") || is_local, ErrorCode::kUsage,
        "[options] --explainer got '{}', expected an https address, one on this machine such as http://localhost:11434/v1, "
        "or base or target.",
        options.explainer);
  check(is_local || !options.offline, ErrorCode::kUsage,
        "[options] --explainer names {}, which --offline forbids; give an address on this machine, or leave one of them out.",
        options.explainer);
  check(!options.explainer_model.empty(), ErrorCode::kUsage,
        "[options] --explainer names a server, but no model of it; give --explainer-model.");
}

std::string explainer_name(const CompareOptions& options) {
  return is_compared_model(options.explainer) ? "the " + options.explainer : options.explainer_model;
}

OptionalExplainer explainer_for(const CompareOptions& options, const LoadedModel& base, const LoadedModel& target,
                                ProgressSink& progress) {
  if (options.explainer.empty()) return {};
  if (is_compared_model(options.explainer)) {
    OptionalExplainer all;
    all.model = std::make_unique<ComparedModel>(options.explainer == "base" ? base : target, explainer_name(options));
    all.explainer = std::make_unique<Explainer>(*all.model, kFeaturesExplainedHere, progress);
    return all;
  }
  std::string url = options.explainer;
  while (url.ends_with('/')) url.pop_back();
  OptionalExplainer all{.client = make_curl_client(), .model = {}, .explainer = {}};
  all.model = std::make_unique<EndpointModel>(
      *all.client, ChatEndpoint{.url = url, .model = options.explainer_model, .key = key_from_environment()}, progress);
  all.explainer = std::make_unique<Explainer>(*all.model, kFeaturesExplained, progress);
  return all;
}

Json explainer_notes(const std::string& model, const std::vector<Json>& features) {
  int64_t asked = 0, named = 0;
  std::string failure;
  for (const Json& feature : features) {
    if (!feature.contains("described")) continue;
    const Json& described = feature["described"];
    ++asked;
    if (described.contains("failure")) failure = described["failure"];
    if (described.value("passes_bar", false)) ++named;
  }
  if (asked == 0) return nullptr;
  Json notes = {{"model", model}, {"features asked about", asked}, {"descriptions above the bar", named}};
  if (!failure.empty()) notes["last failure"] = failure;
  return notes;
}

}  // namespace fi
