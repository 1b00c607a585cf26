#include "fi/behaviour/text_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fi/behaviour/unicode.h"

namespace fi {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> texts_of(const std::vector<Word>& words) {
  std::vector<std::string> texts;
  for (const Word& word : words) texts.push_back((word.starts_segment ? "|" : "") + word.text);
  return texts;
}

TEST(Unicode, LowersLatinGreekAndCyrillic) {
  EXPECT_EQ(lower_case("ÀÉÎÕÜ ŁŻŐŠ ΑΩΆ ЖЯЁІ Ạ ABC"), "àéîõü łżőš αωά жяёі ạ abc");
  EXPECT_EQ(lower_case("ß × ÷ 中 ñ"), "ß × ÷ 中 ñ");
}

TEST(Unicode, ReplacesBytesThatAreNotUtf8) {
  EXPECT_EQ(lower_case("a\xFF\xC3"), "a\uFFFD\uFFFD");
  EXPECT_EQ(lower_case("\xC0\x80"), "\uFFFD\uFFFD");            // overlong
  EXPECT_EQ(lower_case("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");  // surrogate
  EXPECT_EQ(lower_case("\xF0\x9F\x98\x80"), "😀");
}

TEST(Words, KeepApostrophesAndDecimalsAndMarkSegments) {
  EXPECT_THAT(texts_of(split_words("I can’t pay 3.50, Bob. Step-by-step:\nÉté 1,000!")),
              ElementsAre("|i", "can't", "pay", "3.50", "bob", "|step", "by", "step", "|été", "1,000"));
  EXPECT_THAT(texts_of(split_words("我不 ok")), ElementsAre("|我", "不", "ok"));
  EXPECT_TRUE(split_words("... 😀 --").empty());
}

TEST(TextView, SeparatesCodeFromProse) {
  const TextView view("Here:\n```python\nx = 1\n```\nDone. ```sql\nselect");
  EXPECT_THAT(texts_of(view.words(Scope::kProse)), ElementsAre("|here", "|done"));
  EXPECT_THAT(view.code_blocks(), ElementsAre("x = 1\n", "select"));
}

TEST(TextView, OpenFenceHoldsNoCodeYet) {
  EXPECT_TRUE(TextView("```python").code_blocks().empty());
  EXPECT_TRUE(TextView("```").code_blocks().empty());
  EXPECT_EQ(TextView("``````").text(Scope::kProse), "\n");
}

TEST(TextView, ScopesCountCharactersAndEndOnBoundaries) {
  std::string text;
  for (int i = 0; i < 300; ++i) text += "é";
  const TextView view(text);
  EXPECT_EQ(view.text(Scope::kStart).size(), 400U);
  EXPECT_EQ(static_cast<uint8_t>(view.text(Scope::kEnd)[0]), 0xC3);
}

TEST(TextView, LinesAreTrimmedAndBlankOnesLeftOut) { EXPECT_THAT(TextView("  a \n\n\t\nb\r\n").lines(), ElementsAre("a", "b")); }

TEST(TextView, SurvivesHugeAndBrokenTexts) {
  std::string huge(5'000'000, 'a');
  for (size_t i = 0; i < huge.size(); i += 7) huge[i] = static_cast<char>(i % 256);
  EXPECT_LE(TextView(huge).text().size(), 300'000U);
  EXPECT_TRUE(TextView("").words().empty());
}

TEST(ViewOf, RemembersTheLastTexts) {
  const auto first = view_of("one answer");
  EXPECT_EQ(view_of(std::string("one ") + "answer"), first);
  for (int i = 0; i < 5; ++i) view_of("other " + std::to_string(i));
  EXPECT_EQ(first->words().size(), 2U);  // forgotten, and still alive for its holder
}

}  // namespace
}  // namespace fi
