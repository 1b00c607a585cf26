#include "fi/compare/steer_run.h"

#include <algorithm>

#include "fi/claims/report_data.h"
#include "fi/compare/models.h"
#include "fi/compare/run_files.h"
#include "fi/compare/steering_file.h"
#include "fi/core/error.h"
#include "fi/intervene/steering.h"
#include "fi/io/atomic_file.h"

namespace fi {
namespace {

constexpr double kLargestStrength = 1'000.0;
constexpr size_t kListedFeatures = 12;

void check_request(const SteerRequest& request) {
  validate(request.models);
  check(!request.prompts.empty(), ErrorCode::kUsage, "[steer] there is no prompt; give at least one with --prompt.");
  for (const std::string& prompt : request.prompts)
    check(!prompt.empty(), ErrorCode::kUsage, "[steer] a prompt is empty; write something or leave it out.");
  check(request.feature.empty() || request.claim == 0, ErrorCode::kUsage,
        "[steer] --feature and --claim were both given; choose one.");
  check(request.claim >= 0, ErrorCode::kUsage, "[steer] --claim got {}, expected 1 or more.", request.claim);
  check(request.max_new_tokens >= 1 && request.max_new_tokens <= 4096, ErrorCode::kUsage,
        "[steer] --max-new-tokens got {}, expected 1 to 4096.", request.max_new_tokens);
  check(!request.strength || std::abs(*request.strength) <= kLargestStrength, ErrorCode::kUsage,
        "[steer] --strength got {}, expected -{} to {}.", request.strength.value_or(0.0), kLargestStrength, kLargestStrength);
}

/// What a finished run left to steer by.
struct RunToSteer {
  Report report;
  Json localisations;
  Json identity;
  SteeringMap vectors;
};

RunToSteer read_run(const std::filesystem::path& run) {
  const RunFolders folders = RunFolders::in(run);
  const auto read = [&](const std::filesystem::path& path) {
    check(std::filesystem::is_regular_file(path), ErrorCode::kNotFound,
          "[steer] {} is missing; give the folder of a finished run with --run, or run `compare` first.", path.string());
    return parse_json(read_file(path, "steer"), "steer", path.string());
  };
  return {.report = report_from_json(read(folders.features / kFeaturesFile), kFeaturesFile),
          .localisations = read(folders.activations / kLocalisationFile),
          .identity = read(folders.activations / kIdentityFile),
          .vectors = read_steering(folders.activations / kSteeringFile)};
}

/// What is steered by: the key of the vectors, in words, and the layer after which it works.
struct Chosen {
  std::string key;
  std::string what;
  int64_t layer = 0;
};

std::optional<Chosen> located_change(const RunToSteer& run, const Claim& claim) {
  for (size_t i = 0; i < run.localisations.size(); ++i) {
    const std::string key = fmt::format("change-{}", i);
    if (!claim.causal_layer || !run.vectors.contains(key)) continue;
    if (run.localisations[i].at("categories") == Json(claim.categories))
      return Chosen{key, fmt::format("{}: {}", claim.id, claim.sentence), *claim.causal_layer};
  }
  return std::nullopt;
}

std::optional<Chosen> feature_named(const RunToSteer& run, const std::string& id) {
  const auto& features = run.report.features;
  const auto found = std::find_if(features.begin(), features.end(), [&](const FeatureRow& row) { return row.id == id; });
  if (found == features.end() || !run.vectors.contains(id)) return std::nullopt;
  return Chosen{id, found->name ? fmt::format("{} ({})", id, *found->name) : id, found->layer};
}

std::string features_to_name(const RunToSteer& run) {
  std::vector<std::string> ids;
  for (const FeatureRow& row : run.report.features) {
    if (ids.size() < kListedFeatures && run.vectors.contains(row.id)) ids.push_back(row.id);
  }
  return ids.empty() ? "the run has nothing to steer by" : fmt::format("it can steer by {}", fmt::join(ids, ", "));
}

Chosen choose(const RunToSteer& run, const SteerRequest& request) {
  const auto& claims = run.report.claims;
  if (!request.feature.empty()) {
    const auto feature = feature_named(run, request.feature);
    check(feature.has_value(), ErrorCode::kNotFound, "[steer] the run in {} has no vector for feature '{}'; {}.",
          request.run.string(), request.feature, features_to_name(run));
    return *feature;
  }
  check(request.claim <= static_cast<int64_t>(claims.size()), ErrorCode::kNotFound,
        "[steer] the run in {} has {} claims, not {}; {}.", request.run.string(), claims.size(), request.claim,
        features_to_name(run));
  if (request.claim > 0) {
    const auto change = located_change(run, claims[static_cast<size_t>(request.claim) - 1]);
    check(change.has_value(), ErrorCode::kNotFound, "[steer] claim {} was not located in the layers; {}.", request.claim,
          features_to_name(run));
    return *change;
  }
  for (const Claim& claim : claims) {
    if (const auto change = located_change(run, claim)) return *change;
  }
  for (const FeatureRow& row : run.report.features) {
    if (const auto feature = feature_named(run, row.id)) return *feature;
  }
  fail(ErrorCode::kNotFound, "[steer] {}: {}.", request.run.string(), features_to_name(run));
}

void check_same_models(const RunToSteer& run, const BothModels& pair, const std::filesystem::path& folder) {
  for (const auto& [side, model] : {std::pair{"base", &pair.base}, std::pair{"target", &pair.target}}) {
    check(run.identity.value(side, "") == *identify(*model, "").sha256, ErrorCode::kIncompatible,
          "[steer] the {} of the run in {} is another model than {}; name the models that were compared.", side, folder.string(),
          model->files.name);
  }
}

Json number_or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

}  // namespace

Json steer_by_run(const SteerRequest& request, ProgressSink& progress) {
  check_request(request);
  const RunToSteer run = read_run(request.run);
  const Chosen chosen = choose(run, request);
  const BothModels pair = load_both(request.models, progress);
  check_same_models(run, pair, request.run);
  const SteeringVectors& vectors = run.vectors.at(chosen.key);
  check(vectors.step.size(0) == pair.base.decoder.config().d_model, ErrorCode::kInvalid,
        "[steer] '{}' of {} has width {}, the models {}; run the comparison again.", chosen.key, request.run.string(),
        vectors.step.size(0), pair.base.decoder.config().d_model);
  const Steering steering{.layer = chosen.layer,
                          .subspace = {vectors.basis},
                          .step = vectors.step,
                          .strength = request.strength,
                          .seed = static_cast<uint64_t>(request.models.seed)};
  const Tokenizer& tokenizer = *pair.base.tokenizer;
  const auto answers = steer(pair.base.decoder, pair.target.decoder, tokenizer, steering, request.prompts,
                             {.max_new_tokens = request.max_new_tokens, .stop_ids = tokenizer.stop_ids()}, progress);
  Json rows = Json::array();
  for (const SteeredAnswers& row : answers) {
    rows.push_back({{"prompt", row.prompt},
                    {"base", row.base},
                    {"steered", row.steered},
                    {"target", row.target},
                    {"control", row.control},
                    {"gap", row.gap},
                    {"share_closed", number_or_null(row.share_closed)},
                    {"control_share_closed", number_or_null(row.control_share_closed)}});
  }
  return {{"what", chosen.what},
          {"layer", chosen.layer},
          {"rank", vectors.basis.size(1)},
          {"strength", number_or_null(request.strength)},
          {"answers", rows}};
}

}  // namespace fi
