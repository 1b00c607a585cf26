#include "fi/report/markdown.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "fi/report/figures/figure.h"
#include "fi/report/format.h"
#include "fi/report/overview.h"
#include "fi/report/text.h"

namespace fi {
namespace {

constexpr size_t kMaxExamples = 3;
constexpr size_t kMaxFeatures = 30;
constexpr size_t kMaxAnswerCharacters = 900;

using Cells = std::vector<std::string>;

/// Collects the document; blocks are parted by one empty line.
class Document {
 public:
  void block(const std::string& text) { text_ += (text_.empty() ? "" : "\n") + text + (text.back() == '\n' ? "" : "\n"); }
  void heading(int level, const std::string& text) { block(std::string(static_cast<size_t>(level), '#') + " " + text); }
  void list(const Cells& items) {
    std::string text;
    for (const std::string& item : items) text += "- " + item + "\n";
    if (!text.empty()) block(text);
  }
  void table(const Cells& head, const std::vector<Cells>& rows) {
    std::string text = row(head) + row(Cells(head.size(), "---"));
    for (const Cells& cells : rows) text += row(cells);
    block(text);
  }
  std::string take() { return std::move(text_); }

 private:
  static std::string row(const Cells& cells) {
    std::string line = "|";
    for (const std::string& cell : cells) line += " " + (cell.empty() ? "–" : cell) + " |";
    return line + "\n";
  }

  std::string text_;
};

Cells escaped(const std::vector<std::string>& texts) {
  Cells result;
  for (const std::string& text : texts) result.push_back(markdown_text(text));
  return result;
}

std::string figure_link(const Figure& figure, const MarkdownOptions& options) {
  return fmt::format("![{}]({}/{}.png)", markdown_text(figure.alt), options.figures_folder, figure.file_stem);
}

std::string token_list(const std::vector<std::string>& tokens, size_t most) {
  Cells shown;
  for (size_t i = 0; i < std::min(tokens.size(), most); ++i) shown.push_back("“" + markdown_text(tokens[i]) + "”");
  return format_list(shown, most);
}

void add_models(Document& out, const Report& report) {
  std::vector<Cells> rows;
  const std::pair<const char*, const ModelIdentity*> models[] = {{"base", &report.base}, {"target", &report.target}};
  for (const auto& [role, model] : models) {
    rows.push_back({role, "**" + markdown_text(model->name) + "**", markdown_text(model_line(*model)),
                    model->sha256 ? markdown_text(model->sha256->substr(0, 12)) + "…" : ""});
  }
  out.table({"", "model", "size", "weights (SHA-256)"}, rows);
  out.block(fmt::format("Relation: **{}**. {}", relation_label(report.relation), markdown_text(report.relation_note)));
}

void add_claim_table(Document& out, const Report& report) {
  std::vector<Cells> rows;
  for (const Claim& claim : report.claims) {
    const EffectEstimate& effect = claim.effect;
    rows.push_back({markdown_text(claim.id), claim.verdict, claim.kind, markdown_text(claim.sentence),
                    markdown_text(format_change(effect)), markdown_text(format_interval(effect)),
                    markdown_text(format_probability("q", effect.q_value))});
  }
  out.table({"claim", "verdict", "kind", "what changed", "base → target", "95% interval of the difference", "q"}, rows);
}

void add_summary(Document& out, const Report& report) {
  out.heading(2, "Summary of model differences");
  out.block("**" + markdown_text(headline(report)) + "**");
  if (!lead(report).empty()) out.block(markdown_text(lead(report)));
  out.list(escaped(key_numbers(report)));
  add_models(out, report);
  if (!report.claims.empty()) add_claim_table(out, report);
}

void add_example(Document& out, const AnswerExample& example) {
  const auto cut = [](const std::string& text) { return shorten(clean_text(text), kMaxAnswerCharacters); };
  out.block("**Prompt** (" + markdown_text(example.category.empty() ? "no category" : example.category) + ")");
  out.block(markdown_block(cut(example.prompt)));
  out.block("**Base answers**");
  out.block(markdown_block(cut(example.base_output)));
  out.block("**Target answers**");
  out.block(markdown_block(cut(example.target_output)));
}

void add_evidence(Document& out, const Claim& claim) {
  std::vector<Cells> rows;
  for (const Evidence& evidence : claim.supporting) {
    rows.push_back({markdown_text(evidence.description), markdown_text(format_change(evidence.effect)),
                    markdown_text(format_interval(evidence.effect)), format_delta(evidence.effect.effect_size),
                    markdown_text(format_probability("q", evidence.effect.q_value)), format_count(evidence.effect.num_prompts)});
  }
  if (!rows.empty())
    out.table({"finding", "base → target", "95% interval of the difference", "Cliff's delta", "q", "prompts"}, rows);
  rows.clear();
  for (const auto& [name, test] : causal_tests(claim)) {
    rows.push_back({name, format_share(test.effect), markdown_text(format_share_range(test.ci_low, test.ci_high)),
                    format_share(test.control_effect), test.passed ? "passed" : "not passed"});
  }
  if (!rows.empty()) out.table({"causal test", "effect", "95% interval", "control", "result"}, rows);
  rows.clear();
  for (const TransplantRow& row : claim.transplants) {
    rows.push_back({fmt::format("{}–{}", row.first_layer, row.last_layer), format_share(row.share_closed),
                    markdown_text(format_share_range(row.ci_low, row.ci_high))});
  }
  if (!rows.empty()) out.table({"layers given to the base", "share of the gap closed", "95% interval"}, rows);
  rows.clear();
  for (const GeneratedRow& row : claim.generated) {
    rows.push_back(
        {markdown_text(row.model), markdown_text(format_measure(row.measure, claim.effect)), format_count(row.num_prompts)});
  }
  if (!rows.empty()) out.table({"model with exchanged blocks", "its own answers", "prompts"}, rows);
}

void add_claim(Document& out, const Claim& claim, const Report& report, const std::vector<Figure>& figures,
               const MarkdownOptions& options) {
  out.heading(3, fmt::format("{}: {}", markdown_text(claim.id), markdown_text(claim.sentence)));
  Cells facts = {
      fmt::format("**{}** – {}.", claim.verdict, verdict_meaning(claim, report)), "When: " + markdown_text(claim.trigger),
      "What: " + markdown_text(claim.behaviour), "Where: " + format_layers(claim.layers),
      fmt::format("Measured: {}: **{}** (95% interval of the difference {}; {}; {} {}prompts)",
                  markdown_text(claim.effect.metric), markdown_text(format_change(claim.effect)),
                  markdown_text(format_interval(claim.effect)), markdown_text(format_probability("q", claim.effect.q_value)),
                  format_count(claim.effect.num_prompts), report.fresh_prompts ? "confirmation " : "")};
  if (claim.sampled) facts.push_back(markdown_text(sampled_text(claim)));
  out.list(facts);
  for (const Figure& figure : figures) {
    if (figure.title == "Evidence for " + claim.id) out.block(figure_link(figure, options));
  }
  add_evidence(out, claim);
  for (size_t i = 0; i < std::min(claim.examples.size(), kMaxExamples); ++i) add_example(out, claim.examples[i]);
}

void add_features(Document& out, const Report& report) {
  out.heading(2, "Feature overview");
  if (report.features.empty()) return out.block("No feature was found that tells the models apart.");
  std::map<std::string, int64_t> kinds;
  for (const FeatureRow& feature : report.features) ++kinds[feature.kind];
  Cells counts;
  for (const auto& [kind, count] : kinds) counts.push_back(fmt::format("{} {}", format_count(count), kind));
  out.block(fmt::format("{} features: {}.", format_count(static_cast<int64_t>(report.features.size())), format_list(counts, 9)));
  std::vector<Cells> rows;
  for (const size_t index : strongest_features(report, kMaxFeatures)) {
    const FeatureRow& feature = report.features[index];
    rows.push_back({markdown_text(feature.id), feature.kind, markdown_text(feature.engine),
                    markdown_text(feature.name.value_or("unnamed")), token_list(feature.promoted_tokens, 5),
                    feature.share_of_difference ? format_share(*feature.share_of_difference) : "–",
                    format_number(feature.base_use) + " → " + format_number(feature.target_use)});
  }
  out.table(
      {"feature", "kind", "found by", "name", "raises the chance of", "share of the layer's difference", "use, base → target"},
      rows);
  if (report.features.size() > kMaxFeatures)
    out.block(fmt::format("The {} strongest are shown; all are in features.csv.", kMaxFeatures));
}

void add_baselines(Document& out, const Report& report) {
  if (!report.baselines) return;
  std::vector<Cells> rows;
  for (const BaselineRow& row : report.baselines->rows)
    rows.push_back({markdown_text(contestant_label(row)), markdown_text(format_share(row.kl_removed)),
                    markdown_text(format_share_range(row.ci_low, row.ci_high)), format_number(row.discrimination)});
  out.heading(3, fmt::format("Simple methods beside the crosscoder, after layer {}", report.baselines->layer));
  out.block(markdown_text(report.baselines->result));
  out.block(kRaceNote);
  out.table({"method", "KL removed", "95% interval", "told apart"}, rows);
}

void add_depth_pairs(Document& out, const Report& report) {
  std::vector<Cells> rows;
  for (const DepthPairRow& row : report.depth_pairs)
    rows.push_back({std::to_string(row.target_layer), std::to_string(row.base_layer), format_number(row.similarity),
                    format_number(row.base_norm), format_number(row.target_norm)});
  out.block(kDepthNote);
  out.table({"layer of the target", "layer of the base", "similarity", "norm, base", "norm, target"}, rows);
}

void add_layers(Document& out, const Report& report) {
  out.heading(2, "Layer-by-layer analysis");
  if (!report.depth_pairs.empty()) return add_depth_pairs(out, report);
  if (report.layers.empty()) return out.block("No layer was measured: the weights were not at hand.");
  std::map<int64_t, int64_t> features;
  for (const FeatureRow& feature : report.features) ++features[feature.layer];
  std::vector<Cells> rows;
  for (const LayerRow& row : report.layers) {
    const std::string times = row.noise_floor > 0 ? format_number(row.relative_difference / row.noise_floor) + "×" : "";
    rows.push_back({std::to_string(row.layer), format_number(row.relative_difference), format_number(row.noise_floor), times,
                    row.kl_recovered ? markdown_text(format_share(*row.kl_recovered)) : "", std::to_string(features[row.layer]),
                    token_list(row.promoted, 4)});
  }
  out.table(
      {"layer", "relative difference", "noise floor", "times the noise", "KL removed by patching", "features", "target favours"},
      rows);
  out.block(
      "Relative difference: size of target minus base in the residual stream, over the size of the base. Noise floor: the same "
      "between the base "
      "and its own copy with weights rounded to bf16.");
}

void add_weights(Document& out, const Report& report) {
  if (report.weights.empty()) return;
  std::vector<Cells> rows;
  for (const WeightRow& row : report.weights)
    rows.push_back({std::to_string(row.layer), format_number(row.similarity), format_number(row.difference),
                    format_count(row.num_matrices)});
  out.heading(3, "Weights, from the crosscoder analysis file");
  out.block(kWeightsNote);
  out.table({"layer", "mean cosine similarity", "mean difference", "matrices"}, rows);
}

void add_visualizations(Document& out, const std::vector<Figure>& figures, const MarkdownOptions& options) {
  out.heading(2, "Visualizations");
  if (options.figures_folder.empty()) return out.block("No figures were drawn in this run.");
  for (const Figure& figure : figures) {
    if (figure.title.rfind("Evidence for", 0) == 0) continue;  // stands with its claim
    out.block("**" + markdown_text(figure.title) + "**\n\n" + figure_link(figure, options));
  }
}

void add_not_confirmed(Document& out, const Report& report) {
  if (report.not_confirmed.empty()) return;
  std::vector<Cells> rows;
  for (const Evidence& evidence : report.not_confirmed) {
    rows.push_back({markdown_text(evidence.description), markdown_text(format_list(evidence.categories, 4)),
                    markdown_text(format_change(evidence.effect)), markdown_text(format_interval(evidence.effect)),
                    markdown_text(format_probability("q", evidence.effect.q_value))});
  }
  out.heading(3, "Tried, and not confirmed");
  out.table({"finding", "categories", "base → target", "95% interval of the difference", "q"}, rows);
}

void add_rows(Document& out, const char* title, const Json& object, const char* empty) {
  out.heading(2, title);
  std::vector<Cells> rows;
  for (const auto& [label, value] : flatten(object)) rows.push_back({markdown_text(label), markdown_text(value)});
  if (rows.empty()) return out.block(empty);
  out.table({"what", "value"}, rows);
}

}  // namespace

std::string to_markdown(const Report& report, const MarkdownOptions& options) {
  Document out;
  const std::vector<Figure> figures = options.figures_folder.empty() ? std::vector<Figure>{} : make_figures(report);
  out.heading(1, fmt::format("What changed from {} to {}", markdown_text(short_name(report.base)),
                             markdown_text(short_name(report.target))));
  add_summary(out, report);
  for (const Claim& claim : report.claims) add_claim(out, claim, report, figures, options);
  add_features(out, report);
  add_baselines(out, report);
  add_layers(out, report);
  add_weights(out, report);
  add_visualizations(out, figures, options);
  out.heading(2, "Conclusion and overall assessment");
  for (const std::string& paragraph : conclusion(report)) out.block(markdown_text(paragraph));
  add_not_confirmed(out, report);
  add_rows(out, "What we could not see", report.not_seen, "Nothing was recorded.");
  add_rows(out, "Methods and settings", report.settings, "No settings were recorded.");
  out.block(fmt::format("Written by Feature Interpreter {}.", markdown_text(report.tool_version)));
  return out.take();
}

}  // namespace fi
