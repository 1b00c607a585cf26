#include "fi/compare/crosscoder_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fi/core/error.h"

namespace fi {
namespace {

std::vector<WeightRow> rows_of(const char* text) { return weight_rows_from_json(parse_json(text, "test", "text"), "text"); }

TEST(CrosscoderFile, ReadsACutOfARealAnalysis) {
  const std::string path = FI_TEST_DATA "/crosscoder_analysis.json";
  const auto rows = weight_rows_from_json(read_crosscoder_file(path), path);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[2].layer, 2);
  EXPECT_DOUBLE_EQ(rows[2].similarity, 0.8519337773323059);
  EXPECT_DOUBLE_EQ(rows[2].difference, 2.0);
  EXPECT_EQ(rows[2].num_matrices, 1);
}

TEST(CrosscoderFile, AveragesTheMatricesOfALayerInTheOrderOfLayers) {
  const auto rows = rows_of(R"({
    "model.layers.10.a.weight": {"similarities": {"model.layers.10.a.weight": 0.5}, "differences": {"model.layers.10.a.weight": 1}},
    "x": {"similarities": {"model.layers.2.a.weight": 0.25, "model.layers.2.b.weight": -0.75, "lm_head.weight": 0.1},
          "differences": {"model.layers.2.a.weight": 3, "model.layers.2.b.weight": 5, "lm_head.weight": 0}}})");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].layer, 2);
  EXPECT_DOUBLE_EQ(rows[0].similarity, -0.25);
  EXPECT_DOUBLE_EQ(rows[0].difference, 4.0);
  EXPECT_EQ(rows[0].num_matrices, 2);
  EXPECT_EQ(rows[1].layer, 10);
}

class Junk : public ::testing::TestWithParam<const char*> {};

TEST_P(Junk, IsRefusedWithTheEntrysName) {
  try {
    rows_of(GetParam());
    FAIL() << "accepted " << GetParam();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalid);
    EXPECT_THAT(error.what(), ::testing::AllOf(::testing::HasSubstr("[crosscoder] text"),
                                               ::testing::HasSubstr("give a crosscoder analysis file.")));
  }
}

INSTANTIATE_TEST_SUITE_P(
    CrosscoderFile, Junk,
    ::testing::Values(
        "[]", "3", "{}", R"({"model.layers.0.w": 0.5})", R"({"model.layers.0.w": {"similarities": {"model.layers.0.w": 0.5}}})",
        R"({"a": {"similarities": 1, "differences": {}}})", R"({"a": {"similarities": {}, "differences": []}})",
        R"({"a": {"similarities": {"model.layers.0.w": "0.5"}, "differences": {"model.layers.0.w": 1}}})",
        R"({"a": {"similarities": {"model.layers.0.w": null}, "differences": {"model.layers.0.w": 1}}})",
        R"({"a": {"similarities": {"model.layers.0.w": 1.5}, "differences": {"model.layers.0.w": 1}}})",
        R"({"a": {"similarities": {"model.layers.0.w": 0.5}, "differences": {"other": 1}}})",
        R"({"a": {"similarities": {"model.layers.-1.w": 0.5}, "differences": {"model.layers.-1.w": 1}}})",
        R"({"a": {"similarities": {"model.layers.99999999999999999999.w": 0.5}, "differences": {"model.layers.99999999999999999999.w": 1}}})",
        R"({"a": {"similarities": {"lm_head.weight": 0.5}, "differences": {"lm_head.weight": 1}}})"));

TEST(CrosscoderFile, AnAbsentFileIsNotFound) {
  try {
    read_crosscoder_file("no/such.json");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  }
}

}  // namespace
}  // namespace fi
