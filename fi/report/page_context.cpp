#include "fi/report/page_context.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "fi/report/category_titles.h"
#include "fi/report/feature_payload.h"
#include "fi/report/figures/figure.h"
#include "fi/report/format.h"
#include "fi/report/overview.h"
#include "fi/report/text.h"
#include "fi/report/word_changes.h"

namespace fi {
namespace {

constexpr Canvas kWide{860, false};  // on a tablet and on paper still with legible words
constexpr Canvas kNarrow{340, false};
constexpr Canvas kCard{440, false};
constexpr Canvas kNarrowCard{300, false};
constexpr size_t kStaticFeatures = 25;  // rows that show without the script
constexpr size_t kStaticTokens = 6;

Json cleaned(const std::vector<std::string>& texts) {
  Json list = Json::array();
  for (const std::string& text : texts) list.push_back(clean_line(text));
  return list;
}

Json runs_json(const std::vector<TextRun>& runs) {
  Json list = Json::array();
  for (const TextRun& run : runs) list.push_back({{"text", run.text}, {"changed", run.changed}});
  return list;
}

Json example_json(const AnswerExample& example, const CategoryTitles& titles) {
  const AnswerChanges changes = mark_changes(example.base_output, example.target_output);
  return {{"category", titles.of(example.category)},
          {"prompt", clean_text(example.prompt)},
          {"base", runs_json(changes.base)},
          {"target", runs_json(changes.target)},
          {"same", clean_text(example.base_output) == clean_text(example.target_output)}};
}

Json examples_json(const std::vector<AnswerExample>& examples, const CategoryTitles& titles) {
  Json list = Json::array();
  for (const AnswerExample& example : examples) list.push_back(example_json(example, titles));
  return list;
}

Json effect_json(const EffectEstimate& effect) {
  return {{"metric", clean_line(effect.metric)},
          {"change", clean_line(format_change(effect))},
          {"interval", clean_line(format_interval(effect))},
          {"q", format_probability("q", effect.q_value)},
          {"q_number", format_probability("", effect.q_value)},
          {"delta", format_delta(effect.effect_size)},
          {"prompts", format_count(effect.num_prompts)}};
}

Json evidence_json(const Evidence& evidence, const CategoryTitles& titles) {
  return {{"description", clean_line(evidence.description)},
          {"categories", clean_line(format_list(titles.of(evidence.categories), 4))},
          {"effect", effect_json(evidence.effect)}};
}

Json evidence_list(const std::vector<Evidence>& evidence, const CategoryTitles& titles) {
  Json list = Json::array();
  for (const Evidence& item : evidence) list.push_back(evidence_json(item, titles));
  return list;
}

Json causal_json(const Claim& claim) {
  Json list = Json::array();
  for (const auto& [name, test] : causal_tests(claim)) {
    list.push_back({{"name", name},
                    {"effect", format_share(test.effect)},
                    {"interval", format_share_range(test.ci_low, test.ci_high)},
                    {"control", format_share(test.control_effect)},
                    {"passed", test.passed}});
  }
  return list;
}

Json transplants_json(const Claim& claim) {
  Json list = Json::array();
  for (const TransplantRow& row : claim.transplants) {
    list.push_back({{"layers", row.first_layer == row.last_layer ? std::to_string(row.first_layer)
                                                                 : fmt::format("{}–{}", row.first_layer, row.last_layer)},
                    {"share", format_share(row.share_closed)},
                    {"interval", format_share_range(row.ci_low, row.ci_high)}});
  }
  return list;
}

Json generated_json(const Claim& claim) {
  Json list = Json::array();
  for (const GeneratedRow& row : claim.generated)
    list.push_back({{"model", clean_line(row.model)},
                    {"measure", clean_line(format_measure(row.measure, claim.effect))},
                    {"prompts", format_count(row.num_prompts)}});
  return list;
}

// A figure at the widths of a desk and of a telephone; the style sheet shows one of them.
template <typename Draw>
Json two_widths(const Canvas& wide, Draw draw) {
  return {{"wide", draw(wide).svg}, {"narrow", draw(kNarrow).svg}};
}

Json claim_json(const Claim& claim, size_t number, const Report& report, const CategoryTitles& titles) {
  const int64_t num_layers = report.base.num_layers;
  Json json = {
      {"id", anchor_of(claim.id)},
      {"number", number},
      {"kind", claim.kind},
      {"verdict", claim.verdict},
      {"verdict_meaning", verdict_meaning(claim, report)},
      {"layers", format_layers(claim.layers)},
      {"located", !claim.layers.empty()},
      {"sentence", clean_line(claim.sentence)},
      {"capability", clean_line(claim.capability)},
      {"trigger", clean_line(claim.trigger)},
      {"behaviour", clean_line(claim.behaviour)},
      {"categories", format_list(titles.of(claim.categories), 8)},
      {"features", cleaned(claim.features)},
      {"effect", effect_json(claim.effect)},
      {"effect_svg", {{"wide", draw_effect(claim.effect, kCard).svg}, {"narrow", draw_effect(claim.effect, kNarrowCard).svg}}}};
  if (!claim.layers.empty() && num_layers > 0) {
    json["layers_svg"] = {{"wide", draw_claim_layers(claim, num_layers, kCard).svg},
                          {"narrow", draw_claim_layers(claim, num_layers, kNarrowCard).svg}};
  }
  json["evidence_svg"] = two_widths(kWide, [&](const Canvas& canvas) { return draw_claim_evidence(claim, num_layers, canvas); });
  json["supporting"] = evidence_list(claim.supporting, titles);
  json["causal"] = causal_json(claim);
  json["transplants"] = transplants_json(claim);
  json["generated"] = generated_json(claim);
  json["sampled"] = claim.sampled ? clean_line(sampled_text(claim)) : "";
  json["examples"] = examples_json(claim.examples, titles);
  return json;
}

Json model_json(const ModelIdentity& model) {
  return {{"name", clean_line(model.name)},
          {"short_name", short_name(model)},
          {"line", model_line(model)},
          {"sha256", model.sha256 ? clean_line(*model.sha256) : ""},
          {"tokenizer", clean_line(model.tokenizer_fingerprint)},
          {"first_tokens", cleaned(model.first_tokens)}};
}

Json weight_rows(const Report& report) {
  Json list = Json::array();
  for (const WeightRow& row : report.weights)
    list.push_back({{"layer", row.layer},
                    {"similarity", format_number(row.similarity)},
                    {"difference", format_number(row.difference)},
                    {"matrices", row.num_matrices}});
  return list;
}

Json layer_rows(const Report& report) {
  std::map<int64_t, int64_t> features;
  for (const FeatureRow& feature : report.features) ++features[feature.layer];
  Json list = Json::array();
  for (const LayerRow& row : report.layers) {
    list.push_back({{"layer", row.layer},
                    {"difference", format_number(row.relative_difference)},
                    {"noise", format_number(row.noise_floor)},
                    {"times", row.noise_floor > 0 ? format_number(row.relative_difference / row.noise_floor) + "×" : ""},
                    {"kl", row.kl_recovered ? format_share(*row.kl_recovered) : ""},
                    {"cosine", format_number(row.cosine)},
                    {"features", features[row.layer]},
                    {"promoted", cleaned(row.promoted)},
                    {"suppressed", cleaned(row.suppressed)}});
  }
  return list;
}

Json depth_rows(const Report& report) {
  Json list = Json::array();
  for (const DepthPairRow& row : report.depth_pairs)
    list.push_back({{"target", row.target_layer},
                    {"base", row.base_layer},
                    {"similarity", format_number(row.similarity)},
                    {"base_norm", format_number(row.base_norm)},
                    {"target_norm", format_number(row.target_norm)}});
  return list;
}

Json baselines_json(const BaselinesRace& race) {
  Json rows = Json::array();
  for (const BaselineRow& row : race.rows) {
    const double directions = static_cast<double>(std::max<int64_t>(1, row.num_directions));
    rows.push_back({{"method", contestant_label(row)},
                    {"removed", format_share(row.kl_removed)},
                    {"interval", format_share_range(row.ci_low, row.ci_high)},
                    {"each", format_share(row.kl_removed / directions)},
                    {"told_apart", format_number(row.discrimination)}});
  }
  return {{"result", clean_line(race.result)},
          {"layer", race.layer},
          {"note", kRaceNote},
          {"rows", rows},
          {"figure", two_widths(kWide, [&](const Canvas& canvas) { return draw_baselines_race(race, canvas); })}};
}

Json category_rows(const Report& report) {
  std::vector<const CategoryRow*> rows;
  for (const CategoryRow& row : report.categories) rows.push_back(&row);
  std::stable_sort(rows.begin(), rows.end(), [](const CategoryRow* a, const CategoryRow* b) {
    return std::abs(a->largest_effect) > std::abs(b->largest_effect);
  });
  Json list = Json::array();
  for (const CategoryRow* row : rows) {
    list.push_back({{"title", clean_line(row->title)},
                    {"group", clean_line(format_list(row->group, 3))},
                    {"effect", format_delta(row->largest_effect)},
                    {"name", clean_line(row->largest_effect_name)},
                    {"kl", format_number(row->token_kl)},
                    {"prompts", report.fresh_prompts ? fmt::format("{} + {}", row->num_discovery, row->num_confirmation)
                                                     : format_count(row->num_confirmation)}});
  }
  return list;
}

Json rows_json(const Json& object) {
  Json list = Json::array();
  for (const auto& [label, value] : flatten(object)) list.push_back({{"label", label}, {"value", value}});
  return list;
}

Json static_features(const Report& report) {
  Json list = Json::array();
  for (const size_t index : strongest_features(report, kStaticFeatures)) {
    const FeatureRow& feature = report.features[index];
    list.push_back({{"id", clean_line(feature.id)},
                    {"layer", feature.layer},
                    {"kind", feature.kind},
                    {"name", clean_line(feature.name.value_or(""))},
                    {"tokens", firing_tokens(feature, kStaticTokens)},
                    {"share", feature.share_of_difference ? format_share(*feature.share_of_difference) : "–"},
                    {"base", format_number(feature.base_use)},
                    {"target", format_number(feature.target_use)}});
  }
  return list;
}

}  // namespace

Json page_context(const Report& report) {
  Json context = {{"headline", headline(report)},
                  {"lead", lead(report)},
                  {"relation", relation_label(report.relation)},
                  {"relation_note", clean_line(report.relation_note)},
                  {"numbers", cleaned(key_numbers(report))},
                  {"base", model_json(report.base)},
                  {"target", model_json(report.target)},
                  {"tool_version", clean_line(report.tool_version)},
                  {"q_level", format_number(report.q_level)},
                  {"fresh_prompts", report.fresh_prompts},
                  {"has_models", report.relation != "outputs-only"},
                  {"no_claim_title", no_claim_title(report)},
                  {"conclusion", conclusion(report)}};
  const CategoryTitles titles(report);
  context["claims"] = Json::array();
  for (const Claim& claim : report.claims) {
    context["claims"].push_back(claim_json(claim, context["claims"].size() + 1, report, titles));
  }
  context["layer_map"] = two_widths(kWide, [&](const Canvas& canvas) { return draw_layer_map(report, canvas); });
  context["distribution"] = two_widths(kCard, [&](const Canvas& canvas) { return draw_feature_distribution(report, canvas); });
  context["usage"] = two_widths(kCard, [&](const Canvas& canvas) { return draw_feature_usage(report, canvas); });
  context["decoder_norms"] = Json::array();
  for (const NormHistogram& norms : report.decoder_norms) {
    const Json figure = two_widths(kCard, [&](const Canvas& canvas) { return draw_decoder_norms(norms, canvas); });
    context["decoder_norms"].push_back({{"layer", norms.layer}, {"figure", figure}});
  }
  context["norms"] = two_widths(kWide, [&](const Canvas& canvas) { return draw_residual_norms(report, canvas); });
  context["capability"] = two_widths(kWide, [&](const Canvas& canvas) { return draw_capability_change(report, canvas); });
  context["layers"] = layer_rows(report);
  context["depth_pairs"] = depth_rows(report);
  context["depth_note"] = kDepthNote;
  context["has_weight_changes"] = !report.weight_changes.empty();
  context["weight_change"] = two_widths(kWide, [&](const Canvas& canvas) { return draw_weight_change(report, canvas); });
  context["weights"] = weight_rows(report);
  context["weights_note"] = kWeightsNote;
  if (report.baselines) context["baselines"] = baselines_json(*report.baselines);
  context["categories"] = category_rows(report);
  context["num_features"] = report.features.size();
  context["static_features"] = static_features(report);
  context["answers_list"] = examples_json(report.answers, titles);
  context["not_confirmed"] = evidence_list(report.not_confirmed, titles);
  context["not_seen"] = rows_json(report.not_seen);
  context["settings"] = rows_json(report.settings);
  return context;
}

}  // namespace fi
