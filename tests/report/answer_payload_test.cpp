#include "fi/report/answer_payload.h"

#include <gtest/gtest.h>

#include <limits>

#include "sample_report.h"

namespace fi {
namespace {

std::string payload_of(std::optional<AnswerKl> base, const std::string& base_output, std::optional<AnswerKl> target = {}) {
  Report report;
  report.answers.push_back({.base_output = base_output, .target_output = "ab", .base_kl = base, .target_kl = target});
  return answer_payload(report);
}

TEST(AnswerPayload, HasLengthsAndHundredths) {
  EXPECT_EQ(payload_of(AnswerKl{{"Step", " 1"}, {1.234, 0.0}}, "Step 1"), "[[[4,2],[123,0]],null]\n");
  EXPECT_EQ(payload_of(AnswerKl{{"a", "b"}, {0.5, 2}}, "ab", AnswerKl{{"ab"}, {3}}), "[[[1,1],[50,200]],[[2],[300]]]\n");
}

TEST(AnswerPayload, CountsWhatTheScriptCounts) {
  // A thumb is two UTF-16 units; an escape character is shown as its picture.
  EXPECT_EQ(payload_of(AnswerKl{{"\xF0\x9F\x91\x8D", "\x1b", "é"}, {0.1, 0.2, 0.3}}, "\xF0\x9F\x91\x8D\x1bé"),
            "[[[2,1,1],[10,20,30]],null]\n");
}

TEST(AnswerPayload, LeavesOutWhatDoesNotFitTheAnswer) {
  EXPECT_EQ(payload_of(AnswerKl{{"Step"}, {1}}, "Stop"), "");
  EXPECT_EQ(payload_of(AnswerKl{{"a"}, {1, 2}}, "a"), "");
  EXPECT_EQ(payload_of(AnswerKl{}, ""), "");
  EXPECT_EQ(payload_of({}, "a"), "");
  // Half a character alone is cleaned to other text than the whole one.
  EXPECT_EQ(payload_of(AnswerKl{{"\xC3", "\xA9"}, {1, 1}}, "é"), "");
}

TEST(AnswerPayload, ValuesThatAreNoNumberAreNothing) {
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(payload_of(AnswerKl{{"a", "b", "c"}, {nan, -1, infinity}}, "abc"), "[[[1,1,1],[0,0,0]],null]\n");
}

TEST(AnswerPayload, HasNoTextOfTheAnswers) {
  const std::string payload = answer_payload(samples::nasty_report());
  EXPECT_EQ(payload.find_first_not_of("0123456789[],nul\n"), std::string::npos);
  EXPECT_EQ(std::count(payload.begin(), payload.end(), '\n'), std::ssize(samples::nasty_report().answers));
}

}  // namespace
}  // namespace fi
