#include <algorithm>
#include <cmath>
#include <map>

#include "fi/compare/analysis.h"
#include "fi/compare/answer_kl.h"
#include "fi/compare/baseline_stage.h"
#include "fi/compare/budget.h"
#include "fi/compare/calibration_file.h"
#include "fi/compare/compare.h"
#include "fi/compare/crosscoder_file.h"
#include "fi/compare/depth.h"
#include "fi/compare/dictionary_stage.h"
#include "fi/compare/explainer.h"
#include "fi/compare/measures_file.h"
#include "fi/compare/outputs_only.h"
#include "fi/compare/run_files.h"
#include "fi/compare/sampled_answers.h"
#include "fi/compare/selftest.h"
#include "fi/compare/weight_fidelity.h"
#include "fi/core/error.h"
#include "fi/io/atomic_file.h"
#include "fi/io/jsonl.h"

namespace fi {
namespace {

constexpr const char* kToolVersion = "0.1.0";

Json read_json(const std::filesystem::path& path) { return parse_json(read_file(path, "features"), "features", path.string()); }

CategoryTitles titles_of(const Json& manifest) {
  CategoryTitles titles;
  for (const Json& category : manifest.at("categories")) titles[category.at("id")] = category.at("title");
  return titles;
}

std::vector<LayerRow> layer_rows(const Json& layers) {
  std::vector<LayerRow> rows;
  for (const Json& layer : layers.at("layers")) {
    LayerRow row{.layer = layer.at("layer"),
                 .relative_difference = layer.at("relative_difference"),
                 .noise_floor = layer.at("noise_floor"),
                 .cosine = layer.at("cosine"),
                 .base_norm = layer.at("base_norm"),
                 .target_norm = layer.at("target_norm")};
    if (layer.contains("kl_recovered")) row.kl_recovered = layer["kl_recovered"].get<double>();
    if (layer.contains("promoted")) row.promoted = layer["promoted"].get<std::vector<std::string>>();
    if (layer.contains("suppressed")) row.suppressed = layer["suppressed"].get<std::vector<std::string>>();
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<DepthPairRow> depth_pair_rows(const Json& layers) {
  std::vector<DepthPairRow> rows;
  for (const Json& row : layers.value("depth_pairs", Json::array()))
    rows.push_back(
        {row.at("target_layer"), row.at("base_layer"), row.at("similarity"), row.at("base_norm"), row.at("target_norm")});
  return rows;
}

void set_score(const Json& name, FeatureRow& feature) {
  feature.name_score = name.at("score");
  feature.name_low.reset();
  feature.name_high.reset();
  feature.name_places.reset();
  if (name.contains("low")) feature.name_low = name["low"].get<double>();
  if (name.contains("high")) feature.name_high = name["high"].get<double>();
  if (name.contains("places")) {
    const Json& places = name["places"];
    feature.name_places = {places.at("num_active"), places.at("fit_active"), places.at("num_quiet"), places.at("fit_quiet")};
  }
}

/// A direction of the difference or a latent of a crosscoder, named where its name was scored above the bar.
FeatureRow direction_feature(const Json& entry) {
  FeatureRow feature{.id = entry.at("id"),
                     .layer = entry.at("layer"),
                     .engine = entry.at("engine"),
                     .kind = entry.value("kind", "modified"),
                     .base_use = entry.at("base_use"),
                     .target_use = entry.at("target_use"),
                     .promoted_tokens = entry.at("promoted"),
                     .suppressed_tokens = entry.at("suppressed")};
  if (const Json& share = entry.at("share_of_difference"); !share.is_null()) feature.share_of_difference = share.get<double>();
  if (const Json measures = entry.value("measures", Json::object()); measures.contains("seeds"))
    feature.seeds = fmt::format("{} of {}", measures["found_in_seeds"].get<int64_t>(), measures["seeds"].get<int64_t>());
  feature.promotes = fmt::format("{}", fmt::join(feature.promoted_tokens, " · "));
  if (entry.contains("name")) {
    const Json& name = entry["name"];
    set_score(name, feature);
    if (name.at("passes_bar")) {
      feature.fires_on = name.at("fires_on");
      feature.name = "fires on " + *feature.fires_on;
    }
  }
  if (!feature.name && entry.contains("described") && entry["described"].value("passes_bar", false)) {
    set_score(entry["described"], feature);
    feature.name = entry["described"].at("words");
    feature.named_by = entry["described"].at("by");
  }
  for (const Json& use : entry.at("categories"))
    feature.categories.push_back({use.at("category"), use.at("base"), use.at("target")});
  for (const Json& example : entry.at("examples")) {
    FeatureExample& shown = feature.examples.emplace_back(FeatureExample{example.at("category"), {}});
    for (const Json& token : example.at("tokens"))
      shown.tokens.push_back({token.at("text"), token.at("value"), token.at("base"), token.at("target")});
  }
  if (entry.contains("token_cue")) {
    const Json& cue = entry["token_cue"];
    feature.token_cue = TokenCueRow{cue.at("tokens"), cue.at("num_fired"), cue.at("num_texts")};
  }
  if (entry.contains("measures")) feature.measures = latent_measures_from_json(entry["measures"], kLatentsFile);
  return feature;
}

std::vector<CategoryRow> category_rows(const Json& manifest, const Analysis& analysis, const Json& layers) {
  std::map<std::string, double> kl;
  for (const Json& row : layers.value("categories", Json::array())) kl[row.at("category")] = row.at("token_kl");
  std::vector<CategoryRow> rows;
  for (const Json& category : manifest.at("categories")) {
    CategoryRow row{.id = category.at("id"), .title = category.at("title"), .group = category.at("group")};
    const auto in_category = [&](const AnswerPair& pair) { return pair.category == row.id; };
    row.num_discovery = std::count_if(analysis.discovery.begin(), analysis.discovery.end(), in_category);
    row.num_confirmation = std::count_if(analysis.confirmation.begin(), analysis.confirmation.end(), in_category);
    row.token_kl = kl[row.id];
    for (const Finding& finding : analysis.findings) {
      const auto& names = finding.candidate.categories;
      if (std::find(names.begin(), names.end(), row.id) == names.end()) continue;
      if (std::abs(finding.candidate.effect_size) <= std::abs(row.largest_effect)) continue;
      row.largest_effect = finding.candidate.effect_size;
      const Detector::Words& words = finding.candidate.detector->words();
      row.largest_effect_name = words.is_scalar ? words.capability : words.shows;
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

Json what_was_not_seen(const Json& manifest, const Analysis& analysis, const Json& layers) {
  if (manifest.at("relation") == "outputs-only") return limits_of_given_answers(analysis);
  Json notes = Json::object();
  if (!manifest.value("comparable_layers", false)) {
    notes.update(depth_notes(manifest, layers));
  } else {
    notes["rows dropped"] = {{"position 0", layers.value("num_masked_first", 0)},
                             {"special tokens", layers.value("num_masked_special", 0)},
                             {"norm outliers", layers.value("num_masked_outliers", 0)}};
    notes["token KL, target from base"] = layers.value("token_kl", 0.0);
    notes["token budget"] = fmt::format("{} tokens were read by both models for the layer map", layers.value("num_tokens", 0));
  }
  int64_t cut = 0;
  for (const auto* part : {&analysis.discovery, &analysis.confirmation}) {
    for (const AnswerPair& pair : *part) cut += (pair.base_finished ? 0 : 1) + (pair.target_finished ? 0 : 1);
  }
  notes["answers cut at the token limit"] = cut;
  notes.update(fidelity_notes(manifest.value("fidelity", Json()), manifest["options"].value("quantization", "")));
  const Json& sha256 = manifest.at("base").at("sha256");
  if (sha256.is_string()) notes["false claims"] = measured_false_claims(sha256);
  if (sha256.is_string()) notes["planted changes"] = measured_recall(sha256);
  notes["candidates not tested on fresh prompts, for lack of budget"] = analysis.num_untested;
  return notes;
}

std::optional<AnswerKl> kl_of(const AnswerKlMap& map, const std::string& prompt, const std::string& answer) {
  const auto found = map.find({prompt, answer});
  if (found == map.end() || found->second.tokens.empty()) return std::nullopt;
  return found->second;
}

std::vector<AnswerExample> sample_answers(const Analysis& analysis, const AnswerKlMap& kl, int64_t count) {
  std::vector<AnswerExample> sample;
  for (const AnswerPair* pair : shown_answers(analysis, count)) {
    sample.push_back({.category = pair->category,
                      .prompt = pair->prompt,
                      .base_output = pair->base,
                      .target_output = pair->target,
                      .base_kl = kl_of(kl, pair->prompt, pair->base),
                      .target_kl = kl_of(kl, pair->prompt, pair->target)});
  }
  return sample;
}

/// What the activation stage left beside its answers; empty documents where the models' layers cannot be compared.
struct LayerEvidence {
  Json layers = Json::object();
  Json localisation = Json::array();
  Json directions = Json::array();
  AnswerKlMap answer_kl;
  std::vector<SampledChange> sampled;
  std::vector<Json> dictionaries;  // by layer
  std::optional<BaselinesRace> baselines;
};

LayerEvidence read_layer_evidence(const std::filesystem::path& activations, const std::filesystem::path& features,
                                  uint64_t seed) {
  return {.layers = read_json(activations / kLayersFile),
          .localisation = read_json(activations / kLocalisationFile),
          .directions = read_json(activations / kDirectionsFile),
          .answer_kl = read_answer_kl(activations / kAnswerKlFile),
          .sampled = read_sampled_answers(activations / kSampledAnswersFile, seed),
          .dictionaries = read_dictionaries(activations, features),
          .baselines = read_baselines(activations, features)};
}

void add_features(Report& report, const LayerEvidence& evidence) {
  for (const Json& entry : evidence.directions) report.features.push_back(direction_feature(entry));
  for (const Json& dictionary : evidence.dictionaries) {
    for (const Json& entry : dictionary.at("features")) report.features.push_back(direction_feature(entry));
  }
  for (Claim& claim : report.claims) {
    for (const FeatureRow& feature : report.features) {
      if (feature.kind == "shared") continue;
      const bool in_range = std::find(claim.layers.begin(), claim.layers.end(), feature.layer) != claim.layers.end();
      if (in_range || feature.layer == claim.causal_layer) claim.features.push_back(feature.id);
    }
  }
}

void add_dictionary_notes(Report& report, const std::vector<Json>& dictionaries) {
  if (dictionaries.empty()) {
    report.not_seen["crosscoder"] = "not trained; features are differences in means and principal directions of the difference";
  }
  for (const Json& dictionary : dictionaries) {
    const std::string name = fmt::format("crosscoder of layer {}", dictionary.at("layer").get<int64_t>());
    const Json notes = dictionary_notes(dictionary);
    if (dictionary.contains("norm_share_bins"))
      report.decoder_norms.push_back({dictionary.at("layer"), dictionary.at("norm_share_bins")});
    report.settings[name] = notes.at("settings");
    report.not_seen[name] = notes.at("not_seen");
  }
  std::map<std::string, int64_t> by_engine;
  for (const FeatureRow& feature : report.features) ++by_engine[feature.engine];
  if (!by_engine.empty()) report.settings["features by engine"] = by_engine;
}

void add_explainer_notes(Report& report, const LayerEvidence& evidence, const std::string& model) {
  std::vector<Json> features(evidence.directions.begin(), evidence.directions.end());
  for (const Json& dictionary : evidence.dictionaries)
    features.insert(features.end(), dictionary.at("features").begin(), dictionary.at("features").end());
  const Json notes = explainer_notes(model, features);
  if (!notes.is_null()) report.settings["names by a chat model"] = notes;
}

Report assemble(const Json& manifest, const Analysis& analysis, const LayerEvidence& evidence, const NameOptions& options) {
  const Json& layers = evidence.layers;
  const CategoryTitles titles = titles_of(manifest);
  const std::vector<Localisation> places = localisations_from_json(evidence.localisation);
  const LedgerInputs inputs{analysis.findings, analysis.confirmation, titles, places, evidence.sampled};
  const ClaimOptions claim_options{.min_effect_size = options.threshold};
  Json skeleton =
      to_json(Report{.tool_version = kToolVersion, .relation = manifest.at("relation"), .verdict = "no difference found"});
  skeleton["base"] = manifest.at("base");
  skeleton["target"] = manifest.at("target");
  Report report = report_from_json(skeleton, kManifestFile);
  report.relation_note = manifest.value("relation_note", "");
  report.claims = make_claims(inputs, claim_options);
  report.not_confirmed = not_confirmed(inputs, claim_options);
  report.verdict = report.claims.empty() ? "no difference found" : "different";
  report.num_hypotheses = analysis.screening.num_hypotheses;
  report.num_prompts = static_cast<int64_t>(analysis.discovery.size() + analysis.confirmation.size());
  report.num_tokens = manifest.value("num_answer_tokens", int64_t{0});
  report.fresh_prompts = analysis.fresh_prompts;
  report.summary = summarise(report.claims, {.num_prompts = report.num_prompts,
                                             .num_hypotheses = report.num_hypotheses,
                                             .fresh_prompts = report.fresh_prompts,
                                             .hints = hints_text(report.not_confirmed)});
  report.seed = options.seed;
  if (layers.contains("layers")) report.layers = layer_rows(layers);
  report.depth_pairs = depth_pair_rows(layers);
  for (const Json& row : manifest.value("weight_changes", Json::array()))
    report.weight_changes.push_back({row.at("layer"), row.at("matrix"), row.at("relative_change"), row.at("cosine")});
  add_features(report, evidence);
  report.categories = category_rows(manifest, analysis, layers);
  report.answers =
      sample_answers(analysis, evidence.answer_kl, budget_of(options_from_json(manifest.at("options"))).shown_answers);
  report.not_seen = what_was_not_seen(manifest, analysis, layers);
  report.settings = manifest.value("options", Json::object());
  add_dictionary_notes(report, evidence.dictionaries);
  add_explainer_notes(report, evidence, explainer_name(options_from_json(manifest.at("options"))));
  report.baselines = evidence.baselines;
  if (!options.crosscoder.is_null()) report.weights = weight_rows_from_json(options.crosscoder, "crosscoder data");
  return report;
}

}  // namespace

Json name_features(const Json& activation_data, const std::filesystem::path& folder, const NameOptions& options,
                   ProgressSink& progress) {
  check(activation_data.is_object() && activation_data.contains("folder"), ErrorCode::kUsage,
        "[features] the activation data name no folder; pass what the activation stage returned.");
  const std::filesystem::path activations = activation_data["folder"].get<std::string>();
  const Json manifest = read_json(activations / kManifestFile);
  std::vector<AnswerPair> pairs;
  for (const Json& row : read_jsonl(activations / kAnswersFile, "features"))
    pairs.push_back(answer_pair_from_json(row, kAnswersFile));
  check(!pairs.empty(), ErrorCode::kNotFound, "[features] {} holds no answers; run the activation stage first.",
        activations.string());

  StageProgress stage(progress, "claims", 1, "steps");
  const CompareOptions run_options = options_from_json(manifest.at("options"));
  const Analysis analysis = analyse(pairs, detectors_for(run_options), {options.threshold, options.seed});
  const Report report =
      assemble(manifest, analysis, read_layer_evidence(activations, folder, static_cast<uint64_t>(options.seed)), options);

  Json findings = Json::array();
  for (const Finding& finding : analysis.findings) findings.push_back(to_json(finding));
  write_file_atomically(folder / kFindingsFile, to_pretty_json(findings));
  write_measures(analysis, folder / kMeasuresFile);
  Json document = to_json(report);
  write_file_atomically(folder / kFeaturesFile, to_pretty_json(document));
  stage.advance(1);
  return document;
}

}  // namespace fi
