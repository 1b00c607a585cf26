#include "fi/compare/activation_view.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fi/core/json.h"

namespace fi {
namespace {

Tokenizer words() {
  Json vocabulary = Json::object();
  for (int i = 0; i < 50; ++i) vocabulary["w" + std::to_string(i)] = i;
  const Json document = {{"version", "1.0"}, {"model", {{"type", "WordLevel"}, {"vocab", vocabulary}, {"unk_token", "w0"}}}};
  return Tokenizer::from_json(document.dump(), Json::object(), "");
}

// A text of `length` tokens whose one active token is that at `peak`.
ShownText text_with_peak(const std::string& category, int32_t length, int32_t peak, ShownRow active) {
  ShownText text{.category = category, .rows = {}};
  for (int32_t i = 0; i < length; ++i) text.rows.push_back({.position = i, .token = i});
  active.position = peak;
  active.token = peak;
  text.rows[static_cast<size_t>(peak)] = active;
  return text;
}

TEST(Examples, ShowWhatBothModelsHaveOnOneScale) {
  const std::vector<ShownText> texts = {text_with_peak("lists", 3, 1, {.value = 2.0F, .base = -1.0F, .target = 1.0F}),
                                        text_with_peak("facts", 3, 0, {.value = 4.0F, .base = 8.0F, .target = 2.0F})};
  const Json examples = example_documents(texts, words());
  ASSERT_EQ(examples.size(), 2u);
  EXPECT_EQ(examples[0]["category"], "facts");  // the strongest first
  EXPECT_EQ(examples[0]["tokens"][0], Json({{"text", "w0"}, {"value", 1.0}, {"base", 1.0}, {"target", 0.25}}));
  EXPECT_EQ(examples[1]["tokens"][1], Json({{"text", "w1"}, {"value", 0.5}, {"base", 0.0}, {"target", 0.125}}));
  EXPECT_EQ(examples[1]["tokens"][2], Json({{"text", "w2"}, {"value", 0.0}, {"base", 0.0}, {"target", 0.0}}));
}

TEST(Examples, AreOneOfACategoryAndSixteenTokensAroundThePeak) {
  std::vector<ShownText> texts = {text_with_peak("lists", 50, 20, {.value = 2.0F}),
                                  text_with_peak("lists", 9, 0, {.value = 1.0F}), text_with_peak("facts", 9, 0, {.value = 0.0F})};
  texts[0].rows[49].base = 100.0F;  // far from the peak: neither shown nor part of the scale
  texts[0].rows[21].target = 5.0F;
  const Json examples = example_documents(texts, words());
  ASSERT_EQ(examples.size(), 1u);
  const Json& tokens = examples[0]["tokens"];
  ASSERT_EQ(tokens.size(), 33u);
  EXPECT_EQ(tokens[0]["text"], "w4");
  EXPECT_EQ(tokens[17]["target"], 1.0);
}

TEST(Examples, AreNoneWhereNothingIsActive) {
  EXPECT_TRUE(
      example_documents({text_with_peak("facts", 9, 0, {.base = 3.0F}), {.category = "empty", .rows = {}}}, words()).empty());
}

TEST(Names, AreScoredOnHalfOfTheTextsWhereEachIsOfACategoryOfItsOwn) {
  std::vector<ShownText> texts;
  LocatedChanges changes;
  std::vector<std::string> firing;
  for (int i = 0; i < 12; ++i) {
    const std::string category = fmt::format("kind {:02}", i);
    texts.push_back(text_with_peak(category, 3, 1, {.value = i < 6 ? 1.0F : 0.0F}));
    if (i < 6) firing.push_back(category);
  }
  changes.add(firing, {});
  const NameSources sources({}, {}, changes);
  Json entry = Json::object();
  add_names(entry, texts, words(), {sources});
  ASSERT_TRUE(entry.contains("name"));
  EXPECT_EQ(entry["name"]["num_inside"], 3);
  EXPECT_EQ(entry["name"]["num_outside"], 3);
  EXPECT_EQ(entry["name"]["score"], 1.0);
}

}  // namespace
}  // namespace fi
