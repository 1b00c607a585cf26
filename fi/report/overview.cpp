#include "fi/report/overview.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>

#include "fi/report/format.h"
#include "fi/report/text.h"

namespace fi {
namespace {

constexpr int kMaxDepth = 6;
constexpr size_t kMaxHeadline = 220;

std::string plural(int64_t count, const std::string& noun) {
  return format_count(count) + " " + noun + (count == 1 ? "" : noun == "hypothesis" ? "" : "s");
}

std::string hypotheses(int64_t count) { return format_count(count) + (count == 1 ? " hypothesis" : " hypotheses"); }

// Just after the first full stop that a capital letter follows, or that ends the text; 0 if the sentence is too long to head a
// page.
size_t first_sentence_end(const std::string& text) {
  for (size_t at = text.find('.'); at != std::string::npos; at = text.find('.', at + 1)) {
    const bool last = at + 1 == text.size();
    const bool next = at + 2 < text.size() && text[at + 1] == ' ' && std::isupper(static_cast<unsigned char>(text[at + 2]));
    if ((last || next) && at >= 20) return at < kMaxHeadline ? at + 1 : 0;
  }
  return !text.empty() && text.size() < kMaxHeadline ? text.size() : 0;
}

int64_t count_verdict(const Report& report, const char* verdict) {
  return std::count_if(report.claims.begin(), report.claims.end(), [&](const Claim& claim) { return claim.verdict == verdict; });
}

std::string verdict_counts(const Report& report) {
  std::string text;
  for (const char* verdict : {"verified", "suggestive", "untested", "refuted"}) {
    if (const int64_t count = count_verdict(report, verdict))
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, verdict);
  }
  return text;
}

std::string words_of(std::string key) {
  std::replace(key.begin(), key.end(), '_', ' ');
  return clean_line(key);
}

std::string value_text(const Json& value) {
  if (value.is_string()) return clean_text(value.get<std::string>());
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_null()) return "not known";
  if (value.is_number_integer())
    return value.is_number_unsigned() || value.get<int64_t>() >= 0 ? std::to_string(value.get<uint64_t>())
                                                                   : std::to_string(value.get<int64_t>());
  if (value.is_number()) return format_number(value.get<double>());
  return clean_text(value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

void flatten_into(const Json& value, const std::string& label, int depth,
                  std::vector<std::pair<std::string, std::string>>& rows) {
  if (value.is_object() && !value.empty() && depth < kMaxDepth) {
    for (const auto& [key, item] : value.items()) {
      flatten_into(item, label.empty() ? words_of(key) : label + ": " + words_of(key), depth + 1, rows);
    }
    return;
  }
  const bool plain_list =
      value.is_array() && std::none_of(value.begin(), value.end(), [](const Json& item) { return item.is_structured(); });
  if (!plain_list) {
    rows.emplace_back(label, value_text(value));
    return;
  }
  std::string joined;
  for (const Json& item : value) joined += (joined.empty() ? "" : ", ") + value_text(item);
  rows.emplace_back(label, joined.empty() ? "none" : joined);
}

// What claims were tested on.
const char* tested_on(const Report& report) { return report.fresh_prompts ? "fresh prompts" : "these few prompts"; }

}  // namespace

std::string headline(const Report& report) {
  const std::string summary = clean_line(report.summary);
  const size_t end = first_sentence_end(summary);
  if (!report.claims.empty() && end > 0) return summary.substr(0, end);
  if (!report.claims.empty()) return clean_line(report.claims.front().sentence);
  if (report.verdict == "different")
    return fmt::format("The models differ, but no single claim about how they differ held on {}.", tested_on(report));
  return "No difference found between the two models.";
}

std::string lead(const Report& report) {
  const std::string summary = clean_line(report.summary), first = headline(report);
  if (summary.rfind(first, 0) != 0) return summary;
  const size_t rest = summary.find_first_not_of(' ', first.size());
  return rest == std::string::npos ? "" : summary.substr(rest);
}

std::vector<std::string> key_numbers(const Report& report) {
  std::vector<std::string> numbers;
  if (report.num_hypotheses > 0) numbers.push_back(hypotheses(report.num_hypotheses) + " tried");
  numbers.push_back(report.claims.empty()
                        ? fmt::format("none held at q ≤ {}", format_number(report.q_level))
                        : plural(static_cast<int64_t>(report.claims.size()), "claim") + ": " + verdict_counts(report));
  if (report.num_prompts > 0) numbers.push_back(plural(report.num_prompts, "prompt"));
  if (report.num_tokens > 0) numbers.push_back(plural(report.num_tokens, "token"));
  numbers.push_back("seed " + std::to_string(report.seed));
  return numbers;
}

std::string relation_label(const std::string& relation) {
  if (relation == "identical") return "same weights";
  if (relation == "adapter") return "adapter of the base";
  if (relation == "fine-tune") return "fine-tune of the base";
  if (relation == "sibling") return "siblings: same family, neither made from the other";
  if (relation == "outputs-only") return "answers only: weights were not at hand";
  return "unrelated models";
}

std::string short_name(const ModelIdentity& model) {
  const std::string name = clean_line(model.name);
  const size_t end = std::min(name.find(" + "), name.size());
  const size_t slash = name.rfind('/', end);
  const bool is_path = name.starts_with('/') || name.starts_with('.') || name.starts_with('~');
  return is_path && slash != std::string::npos && slash + 1 < end ? name.substr(slash + 1) : name;
}

std::string model_line(const ModelIdentity& model) {
  std::vector<std::string> parts;
  if (!model.family.empty()) parts.push_back(clean_line(model.family));
  if (model.num_parameters > 0) parts.push_back(format_size(model.num_parameters) + " parameters");
  if (model.num_layers > 0) parts.push_back(plural(model.num_layers, "layer"));
  if (model.d_model > 0) parts.push_back("width " + format_count(model.d_model));
  if (model.revision) parts.push_back("revision " + clean_line(*model.revision));
  return fmt::format("{}", fmt::join(parts, " · "));
}

std::string no_claim_title(const Report& report) {
  if (report.verdict == "different") return "No claim held";
  return report.not_confirmed.empty() ? "Nothing to report, and that is a result" : "No difference was certain";
}

std::vector<std::string> conclusion(const Report& report) {
  std::vector<std::string> paragraphs;
  const int64_t verified = count_verdict(report, "verified");
  if (report.claims.empty()) {
    paragraphs.push_back(
        fmt::format("Of {} on {}, none held on {} ({} {} over everything tried). {}", hypotheses(report.num_hypotheses),
                    plural(report.num_prompts, "prompt"), tested_on(report),
                    report.fresh_prompts ? "false discovery rate" : "chance of any false claim", format_share(report.q_level),
                    report.not_confirmed.empty()
                        ? "That is a result: within what this run could see, the target behaves like the base."
                        : "That is no proof that the models are alike: a change that shows in few answers, or on few kinds of "
                          "prompts, needs more prompts to be certain."));
  } else {
    const Claim& first = report.claims.front();
    paragraphs.push_back(fmt::format("The clearest change is {}: {} ({}, {}; {}, {}).", clean_line(first.capability),
                                     clean_line(first.effect.metric), format_change(first.effect), format_layers(first.layers),
                                     "95% interval of the difference " + format_interval(first.effect),
                                     format_probability("q", first.effect.q_value)));
  }
  if (!report.claims.empty() && verified == 0) {
    paragraphs.push_back(
        report.relation == "outputs-only"
            ? fmt::format(
                  "No claim is verified, and none can be: each rests on answers that differ on {}. The weights were not at "
                  "hand, so no layer, feature or cause was looked for.",
                  tested_on(report))
            : "No claim is verified: each rests on behaviour that differs on fresh prompts, but none has yet passed a causal "
              "test against random controls and shown again in sampled answers. Read layers as where the difference shows, not "
              "as proof of where it is made.");
  } else if (verified > 0) {
    paragraphs.push_back(fmt::format("{} passed a causal test against its controls as well as the test on fresh prompts.",
                                     verified == 1 ? "One claim" : std::to_string(verified) + " claims"));
  }
  if (!report.not_confirmed.empty()) {
    paragraphs.push_back(fmt::format(
        "{} looked promising at first and did not hold {}; they are listed, so that nobody needs to find them again.",
        report.not_confirmed.size() == 1 ? "One finding"
                                         : format_count(static_cast<int64_t>(report.not_confirmed.size())) + " findings",
        report.fresh_prompts ? "on fresh prompts" : "when everything tried is counted"));
  }
  return paragraphs;
}

std::string token_cue_text(const TokenCueRow& cue) {
  std::vector<std::string> tokens;
  for (const std::string& token : cue.tokens) tokens.push_back(fmt::format("“{}”", trimmed(clean_line(token))));
  return fmt::format("{}: {} alone, put into texts that leave it quiet, {} it in {} of {}",
                     2 * cue.num_fired >= cue.num_texts ? "a token cue" : "no token cue seen", fmt::join(tokens, ", "),
                     tokens.size() == 1 ? "fires" : "fire", cue.num_fired, cue.num_texts);
}

std::vector<std::string> feature_notes(const FeatureRow& feature) {
  std::vector<std::string> notes;
  if (feature.name_score) {
    const std::string interval =
        feature.name_low && feature.name_high
            ? fmt::format(" ({} to {})", format_number(*feature.name_low), format_number(*feature.name_high))
            : "";
    notes.push_back(fmt::format("{} tells held-out examples apart with balanced accuracy {}{}",
                                feature.name ? "name" : "the best name", format_number(*feature.name_score), interval));
  }
  if (feature.name_places) {
    const NamePlacesRow& places = *feature.name_places;
    notes.push_back(fmt::format("it fits {} of {} places where the feature is active, {} of {} where it is quiet",
                                places.fit_active, places.num_active, places.fit_quiet, places.num_quiet));
  }
  if (feature.token_cue) notes.push_back(token_cue_text(*feature.token_cue));
  if (feature.seeds) notes.push_back("found with " + *feature.seeds + " seeds");
  return notes;
}

std::string sampled_text(const Claim& claim) {
  const SampledEffect& sampled = *claim.sampled;
  EffectEstimate effect = claim.effect;
  effect.base = sampled.base;
  effect.target = sampled.target;
  effect.ci_low = sampled.ci_low;
  effect.ci_high = sampled.ci_high;
  return fmt::format(
      "{} (temperature {}, {} answers to {} prompts): {}, difference {}",
      holds_when_sampled(claim.effect, sampled) ? "Sampled answers show it too" : "Sampled answers do not show it for certain",
      format_number(sampled.temperature), format_count(sampled.num_prompts * sampled.samples_a_prompt),
      format_count(sampled.num_prompts), format_change(effect), format_interval(effect));
}

std::string verdict_meaning(const Claim& claim, const Report& report) {
  const std::string differs = fmt::format("differs on {}", tested_on(report));
  const auto passed = [](const std::optional<CausalTest>& test) { return test && test->passed; };
  if (claim.verdict == "verified")
    return fmt::format("{}{}, and a located set of features passed a causal test against its controls", differs,
                       claim.sampled ? " and again in sampled answers" : "");
  if (claim.verdict == "refuted") return fmt::format("did not hold on {}, or a causal test spoke against it", tested_on(report));
  if (claim.verdict == "untested" || report.relation == "outputs-only") return differs + "; where it comes from was not tested";
  if (passed(claim.necessity) || passed(claim.sufficiency))
    return differs + " and passed a causal test, but is not certain where answers are sampled";
  return differs +
         (claim.layers.empty() ? "; no causal test has been passed" : " and is located, but no causal test has been passed");
}

std::string contestant_label(const BaselineRow& row) {
  return fmt::format("{}, {} direction{}", clean_line(row.method), format_count(row.num_directions),
                     row.num_directions == 1 ? "" : "s");
}

std::vector<std::pair<std::string, std::string>> flatten(const Json& object) {
  std::vector<std::pair<std::string, std::string>> rows;
  if (object.is_object() && object.empty()) return rows;
  flatten_into(object, "", 0, rows);
  return rows;
}

std::vector<std::pair<std::string, CausalTest>> causal_tests(const Claim& claim) {
  std::vector<std::pair<std::string, CausalTest>> tests;
  if (claim.necessity) tests.emplace_back("necessity: taken from the target", *claim.necessity);
  if (claim.sufficiency) tests.emplace_back("sufficiency: given to the base", *claim.sufficiency);
  if (claim.specificity) tests.emplace_back("specificity: other behaviour moved", *claim.specificity);
  return tests;
}

}  // namespace fi
