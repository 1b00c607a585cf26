#include "fi/claims/wording.h"

#include <gtest/gtest.h>

namespace fi {
namespace {

ClaimWords step_by_step() {
  return {.kind = "added",
          .capability = "step-by-step reasoning",
          .shows = "works in numbered steps",
          .trigger = "word problems",
          .layers = {16, 17, 18},
          .effect = {.base = 0.04, .target = 0.96}};
}

TEST(LayersText, JoinsRanges) {
  EXPECT_EQ(layers_text({}), "");
  EXPECT_EQ(layers_text({3}), "layer 3");
  EXPECT_EQ(layers_text({2, 5, 6, 7}), "layers 2, 5-7");
}

TEST(TriggerText, CutsLongListsAndNamesTheWholeSet) {
  const CategoryTitles titles{{"a", "algebra"}, {"b", "poems"}, {"c", "law"},  {"d", "travel"},
                              {"e", "food"},    {"f", "art"},   {"g", "jokes"}};
  EXPECT_EQ(trigger_text({"a"}, titles), "algebra");
  EXPECT_EQ(trigger_text({"a", "b"}, titles), "algebra and poems");
  EXPECT_EQ(trigger_text({"a", "b", "c", "d", "e", "f"}, titles), "algebra, poems, law, travel and 2 more kinds of prompt");
  EXPECT_EQ(trigger_text({"a", "b", "c", "d", "e", "f", "g"}, titles), "prompts of every kind");
  EXPECT_EQ(trigger_text({"unknown_id"}, titles), "unknown_id");
}

TEST(ClaimSentence, NamesLayersCapabilityTriggerAndBothRates) {
  EXPECT_EQ(
      claim_sentence(step_by_step()),
      "Layers 16-18 show new step-by-step reasoning on word problems in the target model: it works in numbered steps in 96% of "
      "answers, the base in 4%.");
}

TEST(ClaimSentence, ClaimsNoLayersThatNobodyMeasured) {
  ClaimWords words = step_by_step();
  words.layers.clear();
  EXPECT_EQ(claim_sentence(words),
            "The target shows new step-by-step reasoning on word problems: it works in numbered steps in 96% of answers, the "
            "base in 4%.");
}

TEST(ClaimSentence, SaysWhatTookThePlaceOfALostAbility) {
  ClaimWords words{.kind = "removed",
                   .capability = "code",
                   .shows = "declines the request",
                   .instead = "declines the request",
                   .trigger = "Python requests",
                   .effect = {.base = 0.0, .target = 1.0}};
  EXPECT_EQ(
      claim_sentence(words),
      "The target no longer shows code on Python requests: the target declines the request in 100% of answers, the base in 0%.");
}

TEST(ClaimSentence, GivesScalarsWithTheirUnit) {
  ClaimWords words{.kind = "modified",
                   .capability = "answer length",
                   .trigger = "definitions",
                   .effect = {.base = 71.4, .target = 48.0, .is_scalar = true, .unit = "words"}};
  EXPECT_EQ(claim_sentence(words),
            "The target changes answer length on definitions: from 71 words in the base to 48 words in the target.");
}

}  // namespace
}  // namespace fi
