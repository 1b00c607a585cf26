#include "fi/claims/ledger.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "fi/core/count_text.h"

namespace fi {
namespace {

// A behaviour that a model shows in at most this share of answers is one that it hardly shows.
constexpr double kHardlyShows = 0.1;
constexpr size_t kMentionedBehaviours = 4;

const Detector::Words& words_of(const Finding& finding) { return finding.candidate.detector->words(); }

bool is_gain(const Finding& finding) { return finding.target > finding.base; }

EffectEstimate effect_of(const Finding& finding) {
  const Detector::Words& words = words_of(finding);
  return {.metric = words.is_scalar ? words.capability : fmt::format("share of answers in which the model {}", words.shows),
          .base = finding.base,
          .target = finding.target,
          .ci_low = finding.ci_low,
          .ci_high = finding.ci_high,
          .p_value = finding.p_value,
          .q_value = finding.q_value,
          .num_prompts = finding.num_prompts,
          .effect_size = finding.effect_size,
          .is_scalar = words.is_scalar,
          .unit = words.unit};
}

Evidence evidence_of(const Finding& finding, bool held) {
  const Detector::Words& words = words_of(finding);
  return {.id = words.id,
          .description = words.is_scalar ? words.capability : words.shows,
          .categories = finding.candidate.categories,
          .effect = effect_of(finding),
          .holds = held};
}

// Refusals that take the place of answers mean a lost ability, whatever the refusal itself looks like.
bool is_lost_ability(const Finding& primary) {
  return words_of(primary).group == "refusal" && is_gain(primary) && primary.base <= 0.5;
}

std::string kind_of(const Finding& primary) {
  if (is_lost_ability(primary)) return "removed";
  if (words_of(primary).is_scalar) return "modified";
  if (is_gain(primary) && primary.base <= kHardlyShows) return "added";
  if (!is_gain(primary) && primary.target <= kHardlyShows) return "removed";
  return "modified";
}

// Answers that lost it.
double num_lost(const Finding& finding) { return (finding.base - finding.target) * static_cast<double>(finding.num_prompts); }

// What most answers lost: a large effect on few prompts stands for less.
const Finding* widest_loss(const FindingGroup& group, const std::vector<Finding>& findings) {
  const Finding* best = nullptr;
  for (const size_t i : group.supporting) {
    const Finding& finding = findings[i];
    if (is_gain(finding) || words_of(finding).is_scalar || words_of(finding).group == "phrase") continue;
    if (best == nullptr || num_lost(finding) > num_lost(*best)) best = &finding;
  }
  return best;
}

std::string shares_text(const Finding& finding, const EffectEstimate& effect) {
  return fmt::format("{} against {}", measure_text(finding.target, effect), measure_text(finding.base, effect));
}

// "The target works in numbered steps (96% against 4%); it says "step" (…). Less often than the base, it … In numbers, target
// against base: sentence length 7 words against 13 words."
std::string behaviour_text(const FindingGroup& group, const std::vector<Finding>& findings) {
  std::vector<std::string> gains, losses, numbers;
  const auto mention = [&](size_t i) {
    const Finding& finding = findings[i];
    const Detector::Words& words = words_of(finding);
    auto& list = words.is_scalar ? numbers : is_gain(finding) ? gains : losses;
    if (list.size() >= kMentionedBehaviours) return;
    const std::string shares = shares_text(finding, effect_of(finding));
    list.push_back(words.is_scalar ? fmt::format("{} {}", words.capability, shares)
                                   : fmt::format("{} ({})", words.shows, shares));
  };
  mention(group.primary);
  for (const size_t i : group.supporting) mention(i);
  std::vector<std::string> sentences;
  if (!gains.empty()) sentences.push_back(fmt::format("The target {}.", fmt::join(gains, "; it ")));
  if (!losses.empty()) {
    sentences.push_back(
        fmt::format("Less often than the base, {} {}.", gains.empty() ? "the target" : "it", fmt::join(losses, "; it ")));
  }
  if (!numbers.empty()) sentences.push_back(fmt::format("In numbers, target against base: {}.", fmt::join(numbers, "; ")));
  return fmt::format("{}", fmt::join(sentences, " "));
}

const Localisation* find_localisation(const std::vector<Localisation>& all, const std::vector<std::string>& categories) {
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Localisation& item) { return item.categories == categories; });
  return found == all.end() ? nullptr : &*found;
}

std::optional<SampledEffect> sampled_effect(const std::vector<SampledChange>& all, const Finding& finding) {
  const auto found = std::ranges::find_if(all, [&](const SampledChange& change) {
    return change.detector == words_of(finding).id && change.categories == finding.candidate.categories;
  });
  return found == all.end() ? std::nullopt : std::optional(found->effect);
}

std::vector<AnswerExample> examples_of(const Finding& finding, const std::vector<AnswerPair>& pairs) {
  std::vector<AnswerExample> examples;
  for (const int64_t i : finding.examples) {
    const AnswerPair& pair = pairs.at(static_cast<size_t>(i));
    examples.push_back(
        {.category = pair.category, .prompt = pair.prompt, .base_output = pair.base, .target_output = pair.target});
  }
  return examples;
}

ClaimWords words_for(const FindingGroup& group, const LedgerInputs& inputs) {
  const Finding& primary = inputs.findings[group.primary];
  const Detector::Words& words = words_of(primary);
  ClaimWords result{.kind = kind_of(primary),
                    .capability = words.capability,
                    .shows = words.shows,
                    .trigger = trigger_text(primary.candidate.categories, inputs.titles),
                    .effect = effect_of(primary)};
  if (is_lost_ability(primary)) {
    const Finding* loss = widest_loss(group, inputs.findings);
    result.capability = loss != nullptr ? words_of(*loss).capability : "the ability to answer";
    result.instead = words.shows;
  }
  return result;
}

std::string summarise_few(const std::vector<Claim>& claims, const SearchScope& scope) {
  const std::string hints =
      scope.hints.empty() ? "" : fmt::format(" Seen, but not certain in so few: the target {}.", scope.hints);
  const std::string few = fmt::format("{} prompts are few, and none was set aside to test again", scope.num_prompts);
  if (claims.empty()) {
    return fmt::format(
        "No difference found: none of {} comparisons held over {} prompts when all of them are counted. So few prompts show only "
        "what comes in nearly every answer.{}",
        count_text(scope.num_hypotheses), count_text(scope.num_prompts), hints);
  }
  return fmt::format("{} It holds when all {} comparisons are counted, but {}: take it as a hint.{}", claims.front().sentence,
                     count_text(scope.num_hypotheses), few, hints);
}

bool passed(const std::optional<CausalTest>& test) { return test && test->passed; }

Claim make_claim(const FindingGroup& group, const LedgerInputs& inputs) {
  const Finding& primary = inputs.findings[group.primary];
  ClaimWords words = words_for(group, inputs);
  Claim claim{.kind = words.kind, .verdict = "suggestive", .effect = words.effect};
  claim.sampled = sampled_effect(inputs.sampled, primary);
  if (const Localisation* place = find_localisation(inputs.localisations, primary.candidate.categories)) {
    claim.layers = place->layers;
    claim.transplants = place->transplants;
    claim.generated = place->generated;
    claim.causal_layer = place->causal_layer;
    claim.necessity = place->necessity;
    claim.sufficiency = place->sufficiency;
    claim.specificity = place->specificity;
    const bool shows_again = !claim.sampled || holds_when_sampled(claim.effect, *claim.sampled);
    if (shows_again && (passed(claim.necessity) || passed(claim.sufficiency))) claim.verdict = "verified";
  }
  words.layers = claim.layers;
  claim.sentence = claim_sentence(words);
  claim.capability = words.capability;
  claim.trigger = words.trigger;
  claim.behaviour = behaviour_text(group, inputs.findings);
  claim.categories = primary.candidate.categories;
  claim.examples = examples_of(primary, inputs.confirmation);
  for (const size_t i : group.supporting) claim.supporting.push_back(evidence_of(inputs.findings[i], true));
  return claim;
}

}  // namespace

std::vector<Claim> make_claims(const LedgerInputs& inputs, const ClaimOptions& options) {
  std::vector<Claim> claims;
  for (const FindingGroup& group : group_findings(inputs.findings, options)) {
    claims.push_back(make_claim(group, inputs));
    claims.back().id = fmt::format("claim-{}", claims.size());
  }
  return claims;
}

std::vector<Evidence> not_confirmed(const LedgerInputs& inputs, const ClaimOptions& options) {
  std::vector<Evidence> rows;
  for (const Finding& finding : inputs.findings) {
    if (!holds(finding, options)) rows.push_back(evidence_of(finding, false));
  }
  return rows;
}

std::string hints_text(const std::vector<Evidence>& not_confirmed) {
  std::vector<std::string> hints;
  for (const Evidence& evidence : not_confirmed) {
    const EffectEstimate& effect = evidence.effect;
    if (effect.is_scalar || hints.size() >= kMentionedBehaviours) continue;
    hints.push_back(fmt::format("{} ({} against {} in the base)", evidence.description, measure_text(effect.target, effect),
                                measure_text(effect.base, effect)));
  }
  return fmt::format("{}", fmt::join(hints, "; it "));
}

std::string summarise(const std::vector<Claim>& claims, const SearchScope& scope) {
  const auto& [num_prompts, num_hypotheses, fresh_prompts, hints] = scope;
  if (!fresh_prompts) return summarise_few(claims, scope);
  if (claims.empty()) {
    return fmt::format(
        "No difference found: {} comparisons were searched over {} prompts, and none of those that discovery chose "
        "held on fresh prompts.",
        count_text(num_hypotheses), count_text(num_prompts));
  }
  std::string text = claims.front().sentence;
  const size_t others = claims.size() - 1;
  if (others == 0) {
    text += " No other change held on fresh prompts.";
  } else {
    text += fmt::format(" {} other change{} held on fresh prompts.", others, others == 1 ? "" : "s");
  }
  return text +
         fmt::format(" {} comparisons were searched over {} prompts.", count_text(num_hypotheses), count_text(num_prompts));
}

}  // namespace fi
