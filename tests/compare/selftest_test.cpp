#include "fi/compare/selftest.h"

#include <gtest/gtest.h>

#include "fi/core/error.h"

namespace fi {
namespace {

Json claim(const std::string& kind, const std::vector<std::string>& categories, const std::vector<int64_t>& layers,
           const std::string& verdict = "suggestive") {
  return {{"kind", kind}, {"categories", categories}, {"layers", layers}, {"verdict", verdict}};
}

TEST(Selftest, AClaimOnHalfOfThePlantedCategoriesMeetsThePlant) {
  const Plant plant{.kind = "added", .categories = {"a", "b"}, .layer = 3};
  const PlantResult result = judge_claims(plant, Json::array({claim("added", {"b", "c"}, {2, 3}, "verified")}));
  EXPECT_TRUE(result.found && result.kind_right && result.verified);
  EXPECT_EQ(result.layer_right, true);
  EXPECT_EQ(result.num_false, 0);
}

TEST(Selftest, AClaimElsewhereIsFalse) {
  const Plant plant{.kind = "added", .categories = {"a", "b", "c", "d"}, .layer = 3};
  const PlantResult result =
      judge_claims(plant, Json::array({claim("added", {"d", "x", "y", "z"}, {3}), claim("added", {"x"}, {3})}));
  EXPECT_FALSE(result.found || result.kind_right);
  EXPECT_EQ(result.layer_right, false);
  EXPECT_EQ(result.num_claims, 2);
  EXPECT_EQ(result.num_false, 2);
}

TEST(Selftest, AWrongKindOrLayerIsFoundAllTheSame) {
  const Plant plant{.kind = "removed", .categories = {"a"}, .layer = 1};
  const PlantResult result = judge_claims(plant, Json::array({claim("modified", {"a"}, {4, 5})}));
  EXPECT_TRUE(result.found);
  EXPECT_FALSE(result.kind_right || result.verified);
  EXPECT_EQ(result.layer_right, false);
}

TEST(Selftest, AnEditOfTheUnembeddingHasNoLayer) {
  const Plant plant{.kind = "modified", .categories = {"a"}};
  EXPECT_EQ(judge_claims(plant, Json::array({claim("modified", {"a"}, {})})).layer_right, std::nullopt);
}

TEST(Selftest, TheSentenceCountsAndADamagedDocumentIsRefused) {
  const Json document = {{"found", 2}, {"planted", 3}, {"kind_right", 1}, {"budget", "quick"}, {"false_claims", 1}};
  EXPECT_EQ(
      selftest_sentence(document, "selftest.json"),
      "Of 3 changes planted into this base on this machine, 2 had a claim about their kinds of prompts, 1 one of the right kind "
      "(budget quick); claims about other prompts: 1. Whether a claim names the change itself is not judged.");
  EXPECT_THROW(selftest_sentence(Json::object(), "selftest.json"), Error);
  EXPECT_THROW(selftest_sentence({{"found", "two"}}, "selftest.json"), Error);
}

}  // namespace
}  // namespace fi
