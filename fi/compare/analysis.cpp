#include "fi/compare/analysis.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "fi/behaviour/few_prompts.h"
#include "fi/behaviour/right_answer.h"
#include "fi/compare/logit_lens.h"
#include "fi/core/error.h"
#include "fi/core/statistics.h"
#include "fi/io/atomic_file.h"

namespace fi {
namespace {

// The budget may give fresh prompts to a part of a candidate's categories, or to none. What follows must not speak of the others.
void keep_what_was_tested(Analysis& analysis) {
  std::set<std::string> tested;
  for (const AnswerPair& pair : analysis.confirmation) tested.insert(pair.category);
  for (Finding& finding : analysis.findings) {
    std::erase_if(finding.candidate.categories, [&](const std::string& name) { return !tested.contains(name); });
  }
  analysis.num_untested = static_cast<int64_t>(
      std::erase_if(analysis.findings, [](const Finding& finding) { return finding.candidate.categories.empty(); }));
}

Json effect_document(const CausalEffect& effect) {
  if (effect.by_text.empty()) return nullptr;
  return {{"effect", effect.effect},           {"random_control", effect.random_control},
          {"own_control", effect.own_control}, {"ci_low", effect.interval.low},
          {"ci_high", effect.interval.high},   {"margin_low", effect.margin.low},
          {"margin_high", effect.margin.high}, {"passed", effect.passed},
          {"by_text", effect.by_text},         {"random_by_text", effect.random_by_text},
          {"own_by_text", effect.own_by_text}};
}

Json causal_document(const CausalReport& report) {
  return {{"layer", report.layer},
          {"rank", report.rank},
          {"gap", report.gap},
          {"layers_tried", report.layers_tried},
          {"sufficiency_by_layer", report.sufficiency_by_layer},
          {"sufficiency", effect_document(report.sufficiency)},
          {"necessity", effect_document(report.necessity)},
          {"specificity", effect_document(report.specificity)}};
}

std::optional<CausalTest> causal_test_from_json(const Json& document) {
  if (document.is_null()) return std::nullopt;
  return CausalTest{
      .passed = document.at("passed"),
      .effect = document.at("effect"),
      .control_effect = std::max(document.at("random_control").get<double>(), document.at("own_control").get<double>()),
      .ci_low = document.at("ci_low"),
      .ci_high = document.at("ci_high")};
}

}  // namespace

Analysis analyse(const std::vector<AnswerPair>& pairs, const DetectorList& given, const AnalysisOptions& options) {
  const DetectorList detectors = with_right_answers(given, pairs);
  Analysis analysis;
  for (const AnswerPair& pair : pairs)
    (pair.split == Split::kDiscovery ? analysis.discovery : analysis.confirmation).push_back(pair);
  const auto seed = static_cast<uint64_t>(options.seed);
  analysis.fresh_prompts = !analysis.discovery.empty();
  if (!analysis.fresh_prompts) {
    FewPromptsSearch search =
        search_few_prompts(analysis.confirmation, detectors, {.min_effect_size = options.threshold, .seed = seed});
    analysis.screening.num_hypotheses = search.num_hypotheses;
    analysis.findings = std::move(search.findings);
    return analysis;
  }
  analysis.screening = screen(analysis.discovery, detectors, {.min_effect_size = options.threshold, .seed = seed});
  analysis.findings = confirm(analysis.screening, analysis.discovery, analysis.confirmation, seed);
  keep_what_was_tested(analysis);
  return analysis;
}

DetectorList detectors_for(const CompareOptions& options) {
  DetectorList detectors = builtin_detectors();
  if (options.concepts.empty()) return detectors;
  const Json document = parse_json(read_file(options.concepts, "concepts"), "concepts", options.concepts);
  for (const auto& detector : detectors_from_json(document, options.concepts)) detectors.push_back(detector);
  return detectors;
}

Json layer_map_document(const LayerMap& map, const LayerPatching& patching, const Decoder& base, const Tokenizer& tokenizer) {
  Json layers = Json::array();
  for (const LayerDifference& layer : map.layers) {
    Json row = {{"layer", layer.layer},
                {"relative_difference", layer.relative_difference},
                {"noise_floor", layer.noise_floor},
                {"cosine", layer.cosine},
                {"base_norm", layer.base_norm},
                {"target_norm", layer.target_norm}};
    if (!patching.recovered.empty()) row["kl_recovered"] = patching.recovered[static_cast<size_t>(layer.layer)];
    if (layer.relative_difference > 0.0) {
      row["promoted"] = lens_tokens(base, tokenizer, layer.mean_difference);
      row["suppressed"] = lens_tokens(base, tokenizer, layer.mean_difference.neg());
    }
    layers.push_back(std::move(row));
  }
  Json categories = Json::array();
  for (const CategoryKl& category : map.categories) {
    categories.push_back({{"category", category.category}, {"token_kl", category.token_kl}, {"num_tokens", category.num_tokens}});
  }
  return {{"layers", layers},
          {"categories", categories},
          {"token_kl", patching.kl},
          {"num_tokens", map.num_tokens},
          {"num_kept", map.num_kept},
          {"num_masked_first", map.num_masked_first},
          {"num_masked_special", map.num_masked_special},
          {"num_masked_outliers", map.num_masked_outliers}};
}

Json localisation_document(const std::vector<std::string>& categories, const TransplantScan& scan, const CausalReport& causes,
                           const std::vector<TransplantAnswers>& generated, uint64_t seed) {
  Json tried = Json::array();
  for (const TransplantEffect& effect : scan.tried) {
    std::vector<int64_t> texts(effect.share_by_text.size());
    std::iota(texts.begin(), texts.end(), int64_t{0});
    const Interval interval = texts.empty() ? Interval{} : bootstrap_mean(effect.share_by_text, texts, seed);
    tried.push_back({{"first_layer", effect.first},
                     {"last_layer", effect.last - 1},
                     {"share_closed", effect.share},
                     {"ci_low", interval.low},
                     {"ci_high", interval.high},
                     {"share_by_text", effect.share_by_text}});
  }
  Json answers = Json::array();
  for (const TransplantAnswers& row : generated)
    answers.push_back({{"model", row.model}, {"measure", row.mean}, {"measures", row.measures}, {"example", row.example}});
  std::vector<int64_t> layers(static_cast<size_t>(scan.last - scan.first));
  std::iota(layers.begin(), layers.end(), scan.first);
  return {{"categories", categories}, {"layers", layers},     {"gap", scan.gap},
          {"transplants", tried},     {"generated", answers}, {"causal", causal_document(causes)}};
}

std::vector<Localisation> localisations_from_json(const Json& document) try {
  std::vector<Localisation> all;
  for (const Json& entry : document) {
    Localisation place{.categories = entry.at("categories"), .layers = entry.at("layers")};
    for (const Json& row : entry.at("transplants")) {
      place.transplants.push_back(
          {row.at("first_layer"), row.at("last_layer"), row.at("share_closed"), row.at("ci_low"), row.at("ci_high")});
    }
    for (const Json& row : entry.at("generated")) {
      const auto num_prompts = static_cast<int64_t>(row.at("measures").size());
      place.generated.push_back({row.at("model"), row.at("measure"), num_prompts, row.at("example")});
    }
    const Json& causal = entry.at("causal");
    place.causal_layer = causal.at("layer");
    place.necessity = causal_test_from_json(causal.at("necessity"));
    place.sufficiency = causal_test_from_json(causal.at("sufficiency"));
    place.specificity = causal_test_from_json(causal.at("specificity"));
    all.push_back(std::move(place));
  }
  return all;
} catch (const Json::exception& error) {
  fail(ErrorCode::kInvalid, "[localisation] the file is damaged: {}; run the activations stage again.", error.what());
}

}  // namespace fi
