#include "fi/claims/report_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "fi/core/error.h"
#include "sample_report.h"

namespace fi {
namespace {

std::string message_of(const Json& document) {
  try {
    report_from_json(document, "r.json");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalid);
    return error.what();
  }
  return "";
}

class RoundTrip : public testing::TestWithParam<Report> {};

TEST_P(RoundTrip, GivesTheSameDocument) {
  const std::string text = to_pretty_json(to_json(GetParam()));
  const Report read = report_from_json(parse_json(text, "test", "r.json"), "r.json");
  EXPECT_EQ(to_pretty_json(to_json(read)), text);
}

INSTANTIATE_TEST_SUITE_P(Samples, RoundTrip,
                         testing::Values(samples::empty_report(), samples::rich_report(), samples::nasty_report()));

TEST(ReportData, ReadsBackEveryPart) {
  const Report report = samples::nasty_report();
  const Report read = report_from_json(to_json(report), "r.json");
  ASSERT_EQ(read.claims.size(), 3u);
  EXPECT_EQ(read.claims[0].sentence, report.claims[0].sentence);
  EXPECT_EQ(read.claims[0].sufficiency->control_effect, 0.1);
  EXPECT_FALSE(read.claims[1].necessity.has_value());
  EXPECT_EQ(read.features[0].examples[0].tokens[4].text, samples::kAnsi);
  EXPECT_EQ(read.layers[7].kl_recovered, report.layers[7].kl_recovered);
  EXPECT_EQ(read.num_hypotheses, 412);
  ASSERT_TRUE(read.answers[0].base_kl.has_value());
  EXPECT_EQ(read.answers[0].base_kl->nats, report.answers[0].base_kl->nats);
  EXPECT_FALSE(read.claims[0].examples[0].base_kl.has_value());
  const auto latent = std::ranges::find(read.features, "crosscoder", &FeatureRow::engine);
  ASSERT_NE(latent, read.features.end());
  EXPECT_EQ(latent->measures->nu_error_target.high, 1.31);
  EXPECT_FALSE(read.features[0].measures.has_value());
  EXPECT_EQ(read.q_level, 0.05);
}

TEST(ReportData, MeasuresOfAnEarlierVersionLackTheNorms) {
  const LatentMeasures old = latent_measures_from_json(Json::parse(R"({"firing_rate": 0.5, "twin": null})"), "latents.json");
  EXPECT_EQ(old.firing_rate, 0.5);
  EXPECT_FALSE(old.base_decoder_norm.has_value());
  for (const char* wrong : {R"([])", R"({"firing_rate": "often"})", R"({"nu_error_base": 0.5})", R"({"num_texts": 1.5})"})
    EXPECT_THROW(latent_measures_from_json(Json::parse(wrong), "latents.json"), Error) << wrong;
}

TEST(ReportData, WritesNoNumberThatJsonLacks) {
  Report report = samples::rich_report();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  report.layers[0].relative_difference = std::numeric_limits<double>::infinity();
  report.layers[0].kl_recovered = nan;
  report.claims[0].effect.q_value = nan;
  report.features[0].name_score = nan;
  const Json document = parse_json(to_pretty_json(to_json(report)), "test", "r.json");
  EXPECT_EQ(document["layers"][0]["relative_difference"], 0.0);
  EXPECT_TRUE(document["layers"][0]["kl_recovered"].is_null());
  EXPECT_EQ(document["claims"][0]["effect"]["q_value"], 1.0);
  EXPECT_TRUE(document["features"][0]["name_score"].is_null());
}

TEST(ReportData, NamesTheFieldThatIsWrong) {
  const Json good = to_json(samples::rich_report());
  Json document = good;
  document["claims"][1]["effect"]["base"] = "much";
  EXPECT_THAT(message_of(document), testing::HasSubstr("claims[1].effect.base"));
  document = good;
  document["claims"][0].erase("sentence");
  EXPECT_THAT(message_of(document), testing::HasSubstr("claims[0].sentence"));
  document = good;
  document["features"][2]["kind"] = "new";
  EXPECT_THAT(message_of(document), testing::HasSubstr("features[2].kind"));
  document = good;
  document["features"] = 7;
  EXPECT_THAT(message_of(document), testing::HasSubstr("features"));
  document = good;
  document["schema_version"] = 2;
  EXPECT_THAT(message_of(document), testing::HasSubstr("schema_version"));
  EXPECT_THAT(message_of(Json::array()), testing::HasSubstr("expected an object"));
}

TEST(ReportData, TakesFieldsItDoesNotKnow) {
  Json document = to_json(samples::empty_report());
  document["of_a_later_version"] = {1, 2};
  EXPECT_EQ(message_of(document), "");
}

}  // namespace
}  // namespace fi
