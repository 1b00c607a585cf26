#include "fi/compare/name_places.h"

#include <gtest/gtest.h>

namespace fi {
namespace {

constexpr int32_t kAnswerStart = 10;
constexpr int32_t kLength = 60;
const std::string kPhrase = "phrase:w40 w41";

Tokenizer sixty_words() {
  Json vocabulary = Json::object();
  for (int i = 0; i < kLength; ++i) vocabulary["w" + std::to_string(i)] = i;
  const Json document = {{"version", "1.0"},
                         {"model", {{"type", "WordLevel"}, {"vocab", vocabulary}, {"unk_token", "w0"}}},
                         {"pre_tokenizer", {{"type", "Whitespace"}}}};
  return Tokenizer::from_json(document.dump(), Json::object(), "");
}

NameSources sources() {
  LocatedChanges changes;
  changes.add({"tea"}, {kPhrase});
  return NameSources({}, {}, changes);
}

const ScoredName kName = {.words = "the phrase", .behaviour = kPhrase, .threshold = 0.5, .places = {}};

// Words w0 to w59, of which w40 and w41 are what the name says, active at `peak`.
ShownText text_active_at(int32_t peak, const ReadAnswer& answer) {
  ShownText text{.category = "tea", .rows = {}, .answer = &answer};
  for (int32_t i = 0; i < kLength; ++i) text.rows.push_back({.position = i, .token = i, .value = i == peak ? 1.0F : 0.0F});
  return text;
}

std::optional<PlaceTest> tested(int32_t peak, int count, const ReadAnswer& answer) {
  const std::vector<ShownText> texts(static_cast<size_t>(count), text_active_at(peak, answer));
  std::vector<const ShownText*> chosen;
  for (const ShownText& text : texts) chosen.push_back(&text);
  return test_places(chosen, kName, sources(), sixty_words());
}

const ReadAnswer kShows = {.start = kAnswerStart, .shows = {kPhrase}};

TEST(NamePlaces, FitWhereTheFeatureIsActiveAtWhatTheNameSays) {
  const auto places = tested(38, 5, kShows);
  ASSERT_TRUE(places);
  EXPECT_EQ(places->num_active, 5);
  EXPECT_EQ(places->fit_active, 5);
  EXPECT_EQ(places->num_quiet, 5);
  EXPECT_EQ(places->fit_quiet, 0);
  EXPECT_DOUBLE_EQ(places->score(), 1.0);
}

TEST(NamePlaces, DoNotFitWhereItIsActiveSomewhereElseInTheText) {
  const auto places = tested(12, 5, kShows);
  ASSERT_TRUE(places);
  EXPECT_EQ(places->fit_active, 0);
  EXPECT_LE(places->score(), 0.5);
}

TEST(NamePlaces, QuietOnesAreOfTheAnswerAndAsLong) {
  const auto places = tested(18, 5, {.start = 36, .shows = {kPhrase}});  // the first 17 words of the answer have the phrase
  ASSERT_TRUE(places);
  EXPECT_EQ(places->fit_quiet, 5);
}

TEST(NamePlaces, AreNotTestedForCategoriesOrOnFewOrOtherTexts) {
  EXPECT_FALSE(tested(38, 3, kShows));
  EXPECT_FALSE(tested(38, 5, {.start = kAnswerStart, .shows = {}}));
  const ShownText text = text_active_at(38, kShows);
  const std::vector<const ShownText*> texts(5, &text);
  ScoredName of_categories = kName;
  of_categories.behaviour.clear();
  EXPECT_FALSE(test_places(texts, of_categories, sources(), sixty_words()));
  ScoredName higher = kName;
  higher.threshold = 1.0;
  EXPECT_FALSE(test_places(texts, higher, sources(), sixty_words()));
}

}  // namespace
}  // namespace fi
