#include "fi/report/feature_payload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <sstream>

#include "sample_report.h"

namespace fi {
namespace {

using testing::ElementsAre;

std::vector<Json> lines_of(const std::string& text) {
  std::vector<Json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(Json::parse(line));
  return lines;
}

Report two_features() {
  Report report;
  FeatureRow weak, strong;
  weak.id = "L1 weak";
  weak.kind = "added";
  weak.share_of_difference = 0.123456;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  weak.examples = {{"lists", {{"a", 1.0, 1.0, 0.25}, {"<b>", 0.004, 0.004, 0.0}, {"a", 0.5, nan, 2.0}}}};
  strong.id = "L2-strong";
  strong.kind = "added";
  strong.name = "steps";
  strong.name_score = 0.9;
  strong.share_of_difference = 0.5;
  strong.categories = {{"lists", 0.25, 2}};
  report.features = {weak, strong};
  report.claims.resize(1);
  report.claims[0].id = "claim-1";
  report.claims[0].verdict = "verified";
  report.claims[0].features = {"L1 weak", "not there"};
  return report;
}

TEST(FeaturePayload, HoldsEveryTextOnce) {
  const FeaturePayload payload = feature_payload(two_features());
  const Json columns = Json::parse(payload.columns);
  EXPECT_EQ(columns["id"], Json({"L1 weak", "L2-strong"}));  // what a claim names comes first
  EXPECT_EQ(columns["share"], Json({0.1235, 0.5}));
  EXPECT_EQ(columns["score"], Json({nullptr, 0.9}));
  EXPECT_EQ(columns["strings"],
            Json({"", "added", "a", "<b>", "lists", "steps", "name tells held-out examples apart with balanced accuracy 0.9"}));
  EXPECT_EQ(columns["kind"], Json({1, 1}));
  EXPECT_EQ(columns["name"], Json({0, 5}));
  EXPECT_EQ(columns["claims"][0]["features"], Json({0}));
}

TEST(FeaturePayload, WritesALineOfDetailsAFeature) {
  const std::vector<Json> lines = lines_of(feature_payload(two_features()).details);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0], Json::parse("[[],[],[[4,[2,3,2],[100,0,0],[25,0,100]]]]"));
  EXPECT_EQ(lines[1], Json::parse("[[],[[4,0.25,2.0]],[],null,[6]]"));
}

TEST(FeaturePayload, HasWhatTheClassOfALatentRestsOn) {
  Report report = two_features();
  report.features[0].measures = samples::sample_measures();
  report.features[1].measures = samples::sample_measures();
  report.features[1].measures->base_decoder_norm.reset();  // as an earlier version wrote it
  const std::vector<Json> lines = lines_of(feature_payload(report).details);
  EXPECT_EQ(lines[0][3], Json::parse("[0.0123,241,37,0.31,1.24,0.8,0.42,7.7,[0.12,0.04,0.21],[1.02,0.94,1.31],0.18,0.97,true]"));
  EXPECT_TRUE(lines[1][3][3].is_null());
}

TEST(FeaturePayload, HasNoShareOfADifferenceThatModelsWithoutACommonSpaceLack) {
  Report report = two_features();
  report.features[0] = samples::sample_latent_apart();
  const FeaturePayload payload = feature_payload(report);
  EXPECT_TRUE(Json::parse(payload.columns)["share"].back().is_null());
  EXPECT_EQ(lines_of(payload.details).back()[3].back(), false);
}

TEST(FeaturePayload, HasWhatIsKnownOfANameAfterTheMeasures) {
  Report report = two_features();
  report.features[0].name_score.reset();
  report.features[0].token_cue = TokenCueRow{{"a"}, 1, 8};
  report.features[0].seeds = "2 of 3";
  const FeaturePayload payload = feature_payload(report);
  const Json line = lines_of(payload.details)[0];
  EXPECT_TRUE(line[3].is_null());
  const Json strings = Json::parse(payload.columns)["strings"];
  EXPECT_THAT(strings[line[4][0].get<size_t>()].get<std::string>(), testing::StartsWith("no token cue seen: “a” alone"));
  EXPECT_EQ(strings[line[4][1].get<size_t>()], "found with 2 of 3 seeds");
}

TEST(FeaturePayload, CannotEndAScriptElement) {
  const FeaturePayload payload = feature_payload(samples::nasty_report());
  for (const std::string& text : {payload.columns, payload.details}) {
    EXPECT_EQ(text.find_first_of("<>&"), std::string::npos);
  }
  EXPECT_EQ(lines_of(payload.details).size(), samples::nasty_report().features.size());
  EXPECT_NE(Json::parse(payload.columns)["strings"].dump().find("</script>"), std::string::npos);
}

TEST(FeaturePayload, GivesAFeatureOfTheSameIdItsOwnPlace) {
  Report report = two_features();
  report.features.push_back(report.features[0]);
  report.claims[0].features = {"L2-strong"};
  const Json columns = Json::parse(feature_payload(report).columns);
  const size_t place = columns["claims"][0]["features"][0];
  EXPECT_EQ(columns["id"][place], "L2-strong");
}

TEST(FiringTokens, AreTheStrongestEachOnce) {
  FeatureRow feature;
  feature.examples = {{"", {{" step", 0.7}, {"Step", 1.0}, {"\n", 0.9}, {" ", 1.0}, {"the", 0.49}}},
                      {"", {{"step", 0.8}, {"Step", 0.6}}}};
  EXPECT_THAT(firing_tokens(feature, 6), ElementsAre("Step", "⏎", "step"));
  EXPECT_THAT(firing_tokens(feature, 1), ElementsAre("Step"));
}

TEST(Anchor, HasNoSpace) { EXPECT_EQ(anchor_of("L1 a b"), "L1_a_b"); }

}  // namespace
}  // namespace fi
