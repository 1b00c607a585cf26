#include "fi/compare/crosscoder_rows.h"

#include <gtest/gtest.h>

#include <map>

namespace fi {
namespace {

constexpr const char* kLetters = R"({"version":"1.0","added_tokens":[{"id":0,"content":"<s>","single_word":false,"lstrip":false,
  "rstrip":false,"normalized":false,"special":true}],"normalizer":null,"pre_tokenizer":{"type":"Whitespace"},"post_processor":null,
  "decoder":null,"model":{"type":"WordLevel","vocab":{"<s>":0,"a":1,"b":2,"c":3,"d":4,"e":5,"[UNK]":6},"unk_token":"[UNK]"}})";

Tokenizer letters() { return Tokenizer::from_json(kLetters, {{"bos_token", "<s>"}}, ""); }

std::vector<AnswerPair> some_pairs() {
  std::vector<AnswerPair> pairs;
  for (const char* prompt : {"a b", "a c", "a d"})
    pairs.push_back({.category = prompt, .prompt = prompt, .base = "e e a", .target = "e e b c"});
  pairs[1].base = pairs[1].target;
  return pairs;
}

std::vector<TracedText> texts_of(const std::vector<AnswerPair>& pairs, int64_t max_tokens) {
  std::vector<const AnswerPair*> pointers;
  for (const AnswerPair& pair : pairs) pointers.push_back(&pair);
  const Tokenizer tokenizer = letters();
  return crosscoder_texts({tokenizer, tokenizer}, pointers, max_tokens, 3);
}

TEST(CrosscoderTexts, BothAnswersFollowOneAnotherAndNoRowIsThereTwice) {
  const std::vector<TracedText> texts = texts_of(some_pairs(), 1000);
  ASSERT_EQ(texts.size(), 5U);  // equal answers are read once
  std::map<std::string, int> seen;
  for (size_t i = 0; i < texts.size(); ++i) {
    const TracedText& text = texts[i];
    if (++seen[text.category] == 1) {
      EXPECT_EQ(text.num_repeated, 0);
      continue;
    }
    EXPECT_EQ(texts[i - 1].category, text.category);
    EXPECT_EQ(text.num_repeated, text.answer_start + 2);  // the prompt, and "e e"
  }
  EXPECT_EQ(seen["a c"], 1);
}

TEST(CrosscoderTexts, RepeatedIdsDoNotCountAsRead) {
  const std::vector<AnswerPair> pairs = some_pairs();
  const std::vector<TracedText> all = texts_of(pairs, 1000);
  const auto first = static_cast<int64_t>(all[0].ids.size());
  EXPECT_EQ(texts_of(pairs, first).size(), all[1].num_repeated > 0 ? 2U : 1U);
  EXPECT_EQ(texts_of(pairs, 0).size(), 0U);
}

TEST(CrosscoderTexts, ModelsOfOtherTokenizersReadThemInTheirOwnIds) {
  std::string renumbered = kLetters;
  renumbered.replace(renumbered.find(R"("a":1,"b":2)"), 11, R"("a":2,"b":1)");
  const Tokenizer base = letters(), target = Tokenizer::from_json(renumbered, {{"bos_token", "<s>"}}, "");
  const AnswerPair pair{.category = "x", .prompt = "a b", .base = "e e a", .target = "e e b"};
  const std::vector<TracedText> texts = crosscoder_texts({base, target, false}, {&pair}, 1000, 3);
  ASSERT_EQ(texts.size(), 2U);
  EXPECT_EQ(texts[0].ids, (TokenIds{1, 2, 5, 5, 2}));
  EXPECT_EQ(texts[0].target->ids, (TokenIds{2, 1, 5, 5, 1}));
  EXPECT_EQ(texts[0].target->partners, (std::vector<int32_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(texts[1].num_repeated, 4);
}

}  // namespace
}  // namespace fi
