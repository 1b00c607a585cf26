#include "fi/report/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fi/report/figures/text_metrics.h"
#include "fi/report/format.h"
#include "fi/report/word_changes.h"
#include "sample_report.h"

namespace fi {
namespace {

TEST(CleanText, MakesControlCharactersVisible) { EXPECT_EQ(clean_text("\x1b[31m\x07\tx\n"), "␛[31m␇\tx\n"); }

TEST(CleanText, ReplacesWhatIsNotUtf8) {
  EXPECT_EQ(clean_text("a\xff"
                       "b"),
            "a\uFFFDb");
  EXPECT_EQ(clean_text("\xed\xa0\x80"), "\uFFFD\uFFFD\uFFFD");  // a surrogate
  EXPECT_EQ(clean_text("\xc0\xaf"), "\uFFFD\uFFFD");            // overlong
  EXPECT_EQ(clean_text("\xe6\x97"), "\uFFFD\uFFFD");            // cut off
}

TEST(CleanText, TakesAwayDirectionOverrides) { EXPECT_EQ(clean_text("a\u202Eb\u2066c"), "a\uFFFDb\uFFFDc"); }

TEST(CleanText, KeepsEveryScript) {
  const std::string text = samples::kHan + samples::kRightToLeft + samples::kEmoji;
  EXPECT_EQ(clean_text(text), text);
}

TEST(Clusters, KeepJoinedCharactersTogether) {
  EXPECT_THAT(clusters("e\u0301👍🏽x"), testing::ElementsAre("e\u0301", "👍🏽", "x"));
  EXPECT_EQ(clusters("👩‍👩‍👧‍👦").size(), 1u);
  EXPECT_EQ(shorten("abcdef", 4), "abc…");
}

TEST(Format, WritesNumbersAsPeopleDo) {
  EXPECT_EQ(format_count(1234567), "1,234,567");
  EXPECT_EQ(format_count(-999), "−999");
  EXPECT_EQ(format_size(134515008), "135 M");
  EXPECT_EQ(format_size(1543714304), "1.5 B");
  EXPECT_EQ(format_share(0.19), "19%");
  EXPECT_EQ(format_share(0.004), "0.4%");
  EXPECT_EQ(format_share(0.00001), "<0.1%");
  EXPECT_EQ(format_share(0.9999), ">99.9%");
  EXPECT_EQ(format_share(1), "100%");
  EXPECT_EQ(format_number(0.4242), "0.424");
  EXPECT_EQ(format_number(-12.44), "−12.4");
  EXPECT_EQ(format_number(0), "0");
  EXPECT_EQ(format_number(1240), "1,240");
  EXPECT_EQ(format_number(0.00012), "1.2e-04");
  EXPECT_EQ(format_number(1.005), "1");
  EXPECT_EQ(format_probability("q", 0.0004), "q < 0.001");
  EXPECT_EQ(format_probability("q", 0.031), "q = 0.031");
  EXPECT_EQ(format_layers({14, 15, 16, 20, 3}), "layers 3, 14–16, 20");
  EXPECT_EQ(format_layers({4}), "layer 4");
  EXPECT_EQ(format_list({"a", "b", "c"}, 2), "a, b and 1 more");
}

TEST(Format, TellsEffectsInTheirUnits) {
  EXPECT_EQ(format_change(samples::share_effect(0.19, 0.94, 0.12, 0.7)), "19% → 94%");
  EXPECT_EQ(format_interval(samples::share_effect(0.19, 0.94, 0.12, 0.7)), "+63 to +87 points");
  EXPECT_EQ(format_change(samples::word_effect()), "58.4 → 37.9 words");
  EXPECT_EQ(format_interval(samples::word_effect()), "−28.1 to −13.2 words");
}

std::string marked(const std::vector<TextRun>& runs) {
  std::string text;
  for (const TextRun& run : runs) text += run.changed ? "[" + run.text + "]" : run.text;
  return text;
}

TEST(MarkChanges, MarksTheWordsThatOnlyOneAnswerHas) {
  const AnswerChanges changes = mark_changes("The answer is simply 84 cards.", "Step 1: multiply. The answer is 84 cards");
  EXPECT_EQ(marked(changes.base), "The answer is [simply] 84 cards.");
  EXPECT_EQ(marked(changes.target), "[Step 1: multiply.] The answer is 84 cards");
}

TEST(MarkChanges, GivesTheTextBack) {
  const std::string base = samples::kHan + "\n  two  spaces " + samples::kRightToLeft, target = samples::kEmoji + samples::kHan;
  const AnswerChanges changes = mark_changes(base, target);
  std::string joined;
  for (const TextRun& run : changes.base) joined += run.text;
  EXPECT_EQ(joined, base);
  EXPECT_TRUE(mark_changes("", "").base.empty());
  EXPECT_EQ(marked(mark_changes("same words", "same words").target), "same words");
}

TEST(MarkChanges, StaysFastOnLongAnswers) {
  std::string base, target;
  for (int i = 0; i < 20000; ++i) base += "word" + std::to_string(i) + " ", target += "word" + std::to_string(2 * i) + " ";
  EXPECT_FALSE(mark_changes(base, target).base.empty());
}

TEST(TextMetrics, MeasuresLikeDejaVuSans) {
  EXPECT_NEAR(text_width("A", {2048}), 1401, 0.5);
  EXPECT_NEAR(text_width("A", {2048, FontWeight::kBold}), 1585, 0.5);
  EXPECT_NEAR(text_width("e\u0301", {2048}), text_width("e", {2048}), 1e-9);
}

TEST(TextMetrics, WrappedLinesFitAndLoseNothing) {
  const std::string text = "Layers 14–26 show " + samples::kHan + " and " + std::string(200, 'w') + " " + samples::kEmoji;
  std::string joined;
  for (const std::string& line : wrap(text, 200, {13}, 100)) {
    EXPECT_LE(text_width(line, {13}), 200 + 1e-9) << line;
    joined += line;
  }
  std::string expected = text;
  for (std::string* both : {&joined, &expected}) both->erase(std::remove(both->begin(), both->end(), ' '), both->end());
  EXPECT_EQ(joined, expected);
}

TEST(TextMetrics, CutTextEndsWithAnEllipsis) {
  EXPECT_THAT(wrap(samples::kHan + samples::kHan, 60, {13}, 2).back(), testing::EndsWith("…"));
  EXPECT_LE(text_width(ellipsise(samples::kMarkup, 50, {13}), {13}), 50);
}

}  // namespace
}  // namespace fi
