#include "fi/claims/ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fi {
namespace {

class NamedDetector final : public Detector {
 public:
  explicit NamedDetector(Words words) : Detector(std::move(words)) {}
  double measure(std::string_view, std::string_view) const override { return 0.0; }
};

struct Spec {
  std::string id, group, shows;
  double base = 0.0, target = 1.0;
  std::vector<std::string> categories = {"word_problems"};
  double q_value = 0.001;
  bool is_scalar = false;
};

Finding finding(const Spec& spec) {
  Finding result;
  result.candidate.detector = std::make_shared<NamedDetector>(Detector::Words{.id = spec.id,
                                                                              .capability = spec.id + " capability",
                                                                              .shows = spec.shows,
                                                                              .group = spec.group,
                                                                              .is_scalar = spec.is_scalar});
  result.candidate.categories = spec.categories;
  result.candidate.effect_size = result.effect_size = spec.target > spec.base ? 1.0 : -1.0;
  result.base = result.candidate.base = spec.base;
  result.target = result.candidate.target = spec.target;
  result.ci_low = spec.target > spec.base ? 0.5 : -1.0;
  result.ci_high = spec.target > spec.base ? 1.0 : -0.5;
  result.q_value = spec.q_value;
  result.num_prompts = 16;
  result.examples = {0};
  return result;
}

const std::vector<AnswerPair> kPairs = {
    {.category = "word_problems", .prompt = "How many?", .base = "Seven.", .target = "Step 1: count."}};
const CategoryTitles kTitles = {{"word_problems", "word problems"}, {"python", "Python requests"}, {"poems", "poems"}};

std::vector<Claim> claims_of(const std::vector<Finding>& findings, const std::vector<Localisation>& places = {}) {
  return make_claims({findings, kPairs, kTitles, places, {}}, {});
}

TEST(Holds, NeedsQValueSizeDirectionAndInterval) {
  const Finding good = finding({.id = "steps", .group = "reasoning"});
  EXPECT_TRUE(holds(good, {}));
  Finding bad = good;
  bad.q_value = 0.06;
  EXPECT_FALSE(holds(bad, {}));
  bad = good;
  bad.effect_size = 0.2;
  EXPECT_FALSE(holds(bad, {}));
  bad = good;
  bad.candidate.effect_size = -1.0;  // discovery saw the opposite
  EXPECT_FALSE(holds(bad, {}));
  bad = good;
  bad.ci_low = -0.01;
  EXPECT_FALSE(holds(bad, {}));
}

TEST(MakeClaims, MergesFindingsOfOneTriggerAndLetsAConceptNameThem) {
  const auto claims =
      claims_of({finding({.id = "num_words", .group = "length", .shows = "", .base = 10, .target = 40, .is_scalar = true}),
                 finding({.id = "phrase:step #", .group = "phrase", .shows = "says \"step #\""}),
                 finding({.id = "numbered_steps", .group = "reasoning", .shows = "works in numbered steps"})});
  ASSERT_EQ(claims.size(), 1u);
  EXPECT_EQ(claims[0].capability, "numbered_steps capability");
  EXPECT_EQ(claims[0].kind, "added");
  EXPECT_EQ(claims[0].verdict, "suggestive");
  EXPECT_EQ(claims[0].supporting.size(), 2u);
  EXPECT_THAT(claims[0].behaviour, testing::HasSubstr("says \"step #\""));
  ASSERT_EQ(claims[0].examples.size(), 1u);
  EXPECT_EQ(claims[0].examples[0].target_output, "Step 1: count.");
}

TEST(MakeClaims, SayWhatTheTargetDoesMoreAndLessAndWhatNumbersMoved) {
  const auto claims = claims_of(
      {finding({.id = "numbered_steps", .group = "reasoning", .shows = "works in numbered steps", .base = 0.0, .target = 0.9}),
       finding({.id = "one_line", .group = "format", .shows = "answers in one line", .base = 0.8, .target = 0.1}),
       finding({.id = "length", .group = "length", .shows = "", .base = 40, .target = 10, .is_scalar = true})});
  ASSERT_EQ(claims.size(), 1u);
  EXPECT_EQ(claims[0].behaviour,
            "The target works in numbered steps (90% against 0%). Less often than the base, it answers in one line (10% against "
            "80%). In numbers, target against base: length capability 10 against 40.");
}

// A lesser concept on one of the categories must not take the name, nor the layout of what a concept says.
TEST(MakeClaims, IsNamedByTheConceptThatStandsForTheWholeGroup) {
  const std::vector<std::string> all = {"word_problems", "python", "poems"};
  const auto claims =
      claims_of({finding({.id = "label_lines", .group = "format", .shows = "labels its lines", .categories = all}),
                 finding({.id = "step_markers", .group = "reasoning", .shows = "works in marked steps", .categories = all}),
                 finding({.id = "verse", .group = "content", .shows = "writes verse", .categories = {"poems"}})});
  ASSERT_EQ(claims.size(), 1u);
  EXPECT_EQ(claims[0].capability, "step_markers capability");
  EXPECT_EQ(claims[0].categories, all);
}

TEST(MakeClaims, KeepsDifferentTriggersApart) {
  const auto claims = claims_of(
      {finding({.id = "steps", .group = "reasoning"}), finding({.id = "rhyme", .group = "style", .categories = {"poems"}})});
  EXPECT_EQ(claims.size(), 2u);
  EXPECT_EQ(claims[0].id, "claim-1");
  EXPECT_EQ(claims[1].id, "claim-2");
}

TEST(MakeClaims, ARefusalInPlaceOfAnAnswerIsALostAbility) {
  const auto claims = claims_of(
      {finding({.id = "refusal", .group = "refusal", .shows = "declines the request", .categories = {"python"}}),
       finding({.id = "code", .group = "code", .shows = "writes code", .base = 1.0, .target = 0.0, .categories = {"python"}})});
  ASSERT_EQ(claims.size(), 1u);
  EXPECT_EQ(claims[0].kind, "removed");
  EXPECT_EQ(claims[0].capability, "code capability");
  EXPECT_THAT(claims[0].sentence, testing::HasSubstr("declines the request in 100%"));
}

// A mark of style that a few prompts lost altogether must not stand for the ability that most lost.
TEST(MakeClaims, TheLostAbilityIsWhatMostAnswersLost) {
  const std::vector<std::string> all = {"python", "shell"};
  std::vector<Finding> findings = {
      finding({.id = "refusal", .group = "refusal", .shows = "declines the request", .categories = all}),
      finding({.id = "quotes", .group = "format", .shows = "quotes words", .base = 1.0, .target = 0.1, .categories = {"shell"}}),
      finding({.id = "code", .group = "code", .shows = "writes code", .base = 0.6, .target = 0.0, .categories = all})};
  findings[1].num_prompts = 12;
  findings[1].effect_size = -0.9;
  findings[2].num_prompts = 36;
  findings[2].effect_size = -0.6;
  const auto claims = claims_of(findings);
  ASSERT_EQ(claims.size(), 1u);
  EXPECT_EQ(claims[0].capability, "code capability");
}

TEST(MakeClaims, KindFollowsTheRates) {
  EXPECT_EQ(claims_of({finding({.id = "a", .group = "style", .base = 0.3, .target = 0.9})})[0].kind, "modified");
  EXPECT_EQ(claims_of({finding({.id = "a", .group = "style", .base = 0.9, .target = 0.05})})[0].kind, "removed");
  EXPECT_EQ(claims_of({finding({.id = "a", .group = "style", .base = 0.05, .target = 0.9})})[0].kind, "added");
}

TEST(MakeClaims, TakesLayersFromTheLocalisationOfItsTrigger) {
  const std::vector<Localisation> places = {{.categories = {"word_problems"}, .layers = {4, 5}}};
  const auto claims = claims_of({finding({.id = "steps", .group = "reasoning", .shows = "works in steps"})}, places);
  EXPECT_EQ(claims[0].layers, (std::vector<int64_t>{4, 5}));
  EXPECT_THAT(claims[0].sentence, testing::StartsWith("Layers 4-5 show"));
}

TEST(MakeClaims, SaysHowTheSameBehaviourDidInSampledAnswers) {
  const std::vector<Finding> findings = {finding({.id = "steps", .group = "reasoning"})};
  const std::vector<SampledChange> sampled = {{"rhyme", {"word_problems"}, {.target = 0.1}},
                                              {"steps", {"poems"}, {.target = 0.2}},
                                              {"steps", {"word_problems"}, {.target = 0.7}}};
  const auto claims = make_claims({findings, kPairs, kTitles, {}, sampled}, {});
  ASSERT_TRUE(claims.at(0).sampled.has_value());
  EXPECT_EQ(claims[0].sampled->target, 0.7);
  EXPECT_FALSE(make_claims({findings, kPairs, kTitles, {}, {}}, {}).at(0).sampled.has_value());
}

TEST(MakeClaims, WhatDidNotHoldIsListedAndNotClaimed) {
  const std::vector<Finding> findings = {finding({.id = "steps", .group = "reasoning", .q_value = 0.4})};
  const LedgerInputs inputs{findings, kPairs, kTitles, {}, {}};
  EXPECT_TRUE(make_claims(inputs, {}).empty());
  EXPECT_EQ(not_confirmed(inputs, {}).size(), 1u);
}

TEST(Summarise, NoClaimIsAResult) {
  EXPECT_EQ(summarise({}, {.num_prompts = 100, .num_hypotheses = 5000}),
            "No difference found: 5,000 comparisons were searched over 100 prompts, and none of those that discovery chose held "
            "on fresh "
            "prompts.");
}

TEST(MakeClaims, IsVerifiedOnlyWhereNecessityOrSufficiencyPassed) {
  const CausalTest passed{.passed = true, .effect = 0.8, .control_effect = 0.1, .ci_low = 0.5, .ci_high = 0.9};
  const CausalTest failed{.passed = false, .effect = 0.2, .control_effect = 0.3, .ci_low = -0.3, .ci_high = 0.1};
  const auto verdict_of = [&](std::optional<CausalTest> necessity, std::optional<CausalTest> sufficiency,
                              std::optional<CausalTest> specificity) {
    const Localisation place{.categories = {"word_problems"},
                             .causal_layer = 20,
                             .necessity = necessity,
                             .sufficiency = sufficiency,
                             .specificity = specificity};
    return claims_of({finding({.id = "steps", .group = "reasoning"})}, {place}).at(0).verdict;
  };
  EXPECT_EQ(verdict_of(passed, failed, failed), "verified");
  EXPECT_EQ(verdict_of(failed, passed, std::nullopt), "verified");
  EXPECT_EQ(verdict_of(failed, failed, passed), "suggestive");
  EXPECT_EQ(verdict_of(std::nullopt, std::nullopt, std::nullopt), "suggestive");
}

TEST(MakeClaims, IsVerifiedOnlyWhereSampledAnswersShowItToo) {
  const std::vector<Localisation> places = {
      {.categories = {"word_problems"}, .causal_layer = 20, .necessity = CausalTest{.passed = true, .effect = 0.8}}};
  const auto verdict_of = [&](double base, double target, double low, double high) {
    const std::vector<Finding> findings = {finding({.id = "steps", .group = "reasoning", .base = base, .target = target})};
    const std::vector<SampledChange> sampled = {{"steps", {"word_problems"}, {.ci_low = low, .ci_high = high}}};
    return make_claims({findings, kPairs, kTitles, places, sampled}, {}).at(0).verdict;
  };
  EXPECT_EQ(verdict_of(0.0, 0.8, 0.1, 0.9), "verified");
  EXPECT_EQ(verdict_of(0.0, 0.8, 0.0, 0.9), "suggestive");
  EXPECT_EQ(verdict_of(0.9, 0.1, -0.9, -0.1), "verified");
  EXPECT_EQ(verdict_of(0.9, 0.1, 0.1, 0.9), "suggestive");  // the other way round
}

}  // namespace
}  // namespace fi
