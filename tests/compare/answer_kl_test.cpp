#include "fi/compare/answer_kl.h"

#include <gtest/gtest.h>

#include "fi/core/error.h"
#include "fi/io/atomic_file.h"

namespace fi {
namespace {

using Spans = std::vector<std::pair<size_t, size_t>>;

std::string joined(const AnswerKl& kl) {
  std::string text;
  for (const std::string& token : kl.tokens) text += token;
  return text;
}

TEST(AnswerKl, EveryTokenGetsItsValue) {
  const AnswerKl kl = kl_by_token("Step 1", Spans{{0, 4}, {4, 5}, {5, 6}}, {1.25, 0.00001, 0.2});
  EXPECT_EQ(kl.tokens, (std::vector<std::string>{"Step", " ", "1"}));
  EXPECT_EQ(kl.nats, (std::vector<double>{1.25, 0.0, 0.2}));
}

TEST(AnswerKl, TokensOfOneCharacterAreOne) {
  const std::string text = "a\xF0\x9F\x91\x8Dz";  // a thumb between two letters, in three tokens
  const AnswerKl kl = kl_by_token(text, Spans{{0, 1}, {1, 3}, {3, 4}, {4, 5}, {5, 6}}, {0.1, 0.2, 0.7, 0.3, 0.4});
  EXPECT_EQ(kl.tokens, (std::vector<std::string>{"a", "\xF0\x9F\x91\x8D", "z"}));
  EXPECT_EQ(kl.nats, (std::vector<double>{0.1, 0.7, 0.4}));
}

TEST(AnswerKl, NoByteIsLost) {
  // Bytes before, between and after the tokens, and a token whose span is empty.
  const std::string text = " one  two ";
  const AnswerKl kl = kl_by_token(text, Spans{{1, 4}, {4, 4}, {6, 9}}, {0.5, 9.0, 0.6});
  EXPECT_EQ(joined(kl), text);
  EXPECT_EQ(kl.nats, (std::vector<double>{0.5, 9.0}));
}

TEST(AnswerKl, AFirstTokenWithoutPredictionIsZeroAndWhatDoesNotFitIsLeftOut) {
  EXPECT_EQ(kl_by_token("ab", Spans{{0, 1}, {1, 2}}, {0.5}).nats, (std::vector<double>{0.0, 0.5}));
  EXPECT_TRUE(kl_by_token("abc", Spans{{0, 1}, {1, 2}, {2, 3}}, {0.5}).tokens.empty());
  EXPECT_TRUE(kl_by_token("a", Spans{{0, 1}}, {0.5, 0.5}).tokens.empty());
  EXPECT_TRUE(kl_by_token("", Spans{}, {}).tokens.empty());
  EXPECT_EQ(kl_by_token("a", Spans{{0, 1}}, {std::nan("")}).nats, std::vector<double>{0.0});
  EXPECT_EQ(joined(kl_by_token("ab", Spans{{0, 99}, {7, 99}}, {0.5, 0.5})), "ab");  // spans beyond the text
}

TEST(AnswerKl, ShownAnswersAreSpreadOverBothSplits) {
  Analysis analysis;
  for (int64_t i = 0; i < 6; ++i) analysis.discovery.push_back({.prompt_index = i});
  for (int64_t i = 6; i < 10; ++i) analysis.confirmation.push_back({.prompt_index = i});
  std::vector<int64_t> shown;
  for (const AnswerPair* pair : shown_answers(analysis, 5)) shown.push_back(pair->prompt_index);
  EXPECT_EQ(shown, (std::vector<int64_t>{0, 2, 4, 6, 8}));
  EXPECT_EQ(shown_answers(analysis, 99).size(), 10u);
}

class AnswerKlFile : public testing::Test {
 protected:
  AnswerKlMap read(const std::string& text) const {
    write_file_atomically(path_, text);
    return read_answer_kl(path_);
  }
  std::string error_of(const std::string& text) const {
    try {
      read(text);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalid);
      return error.what();
    }
    return "no error";
  }
  std::filesystem::path path_ = std::filesystem::path(testing::TempDir()) / "answer_kl.json";
};

TEST_F(AnswerKlFile, IsReadByPromptAndAnswer) {
  const AnswerKlMap map = read(R"([{"prompt": "p", "answer": "ab", "tokens": ["a", "b"], "nats": [0.5, 2]}])");
  EXPECT_EQ(map.at({"p", "ab"}).nats, (std::vector<double>{0.5, 2.0}));
  EXPECT_TRUE(read_answer_kl(path_.string() + ".absent").empty());
  EXPECT_TRUE(read("[]").empty());
}

TEST_F(AnswerKlFile, DamageIsNamed) {
  for (const char* text : {"", "[1]", R"([{"prompt": "p"}])", R"([{"prompt": "p", "answer": "a", "tokens": "a", "nats": [1]}])",
                           R"([{"prompt": "p", "answer": "a", "tokens": ["a"], "nats": ["x"]}])",
                           R"([{"prompt": "p", "answer": "a", "tokens": ["a"], "nats": []}])"}) {
    EXPECT_NE(error_of(text).find("answer_kl.json"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace fi
