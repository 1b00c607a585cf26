#include "fi/compare/corpus_texts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/failure.h"

namespace fi {
namespace {

constexpr const char* kWords = R"({"version":"1.0","added_tokens":[{"id":0,"content":"<s>","single_word":false,"lstrip":false,
  "rstrip":false,"normalized":false,"special":true}],"normalizer":null,"pre_tokenizer":{"type":"Whitespace"},"post_processor":null,
  "decoder":null,"model":{"type":"WordLevel","vocab":{"<s>":0,"user":1,"model":2,"a":3,"b":4,"c":5,"[UNK]":6},"unk_token":"[UNK]"}})";
constexpr const char* kTemplate =
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'tool' %}{{ raise_exception('no tools') }}{% endif %} {{ m.role }} "
    "{{ m.content }}{% endfor %}{% if add_generation_prompt %} model{% endif %}";

Tokenizer words() { return Tokenizer::from_json(kWords, {{"bos_token", "<s>"}}, kTemplate); }

std::vector<TracedText> read_by_one(const TextCorpus& corpus, CorpusLimits limits) {
  const Tokenizer tokenizer = words();
  return corpus_texts({tokenizer, tokenizer}, corpus, limits);
}

CorpusText plain(std::string text) { return {.text = std::move(text), .place = "line 1 of x"}; }

TEST(CorpusTexts, PlainTextsAndChatsAreReadAsTheModelWants) {
  const TextCorpus corpus{.texts = {plain("a b"), {.messages = {{"user", "a"}, {"model", "b"}}}}};
  const auto texts = read_by_one(corpus, {.max_tokens = 100, .max_length = 100});
  ASSERT_EQ(texts.size(), 2U);
  EXPECT_EQ(texts[0].ids, (TokenIds{3, 4}));
  EXPECT_EQ(texts[1].ids, (TokenIds{0, 1, 3, 2, 4}));
  EXPECT_EQ(texts[0].category, kOwnTexts);
}

TEST(CorpusTexts, EndWithTheModelsLengthAndWithTheTokensAskedFor) {
  const TextCorpus corpus{.texts = {plain("a b c a b c"), plain("b"), plain("c")}};
  const auto texts = read_by_one(corpus, {.max_tokens = 5, .max_length = 4});
  ASSERT_EQ(texts.size(), 2U);
  EXPECT_EQ(texts[0].ids, (TokenIds{3, 4, 5, 3}));
}

TEST(CorpusTexts, AChatThatTheTemplateRefusesIsNamed) {
  const TextCorpus corpus{.texts = {{.messages = {{"tool", "x"}}, .place = "line 7 of chats.jsonl"}}};
  expect_failure([&] { read_by_one(corpus, {.max_tokens = 5, .max_length = 4}); }, ErrorCode::kInvalid,
                 {"line 7 of chats.jsonl", "no tools"});
}

TEST(CorpusTexts, EachKindKnowsWhatAllItsTextsBeginWith) {
  const TextCorpus corpus{
      .texts = {plain("a b c"), plain("a b b"), {.messages = {{"user", "a"}}}, {.messages = {{"user", "b"}}}}};
  const auto texts = read_by_one(corpus, {.max_tokens = 100, .max_length = 100});
  EXPECT_EQ(texts[0].num_repeated, 2);  // a b
  EXPECT_EQ(texts[2].num_repeated, 2);  // <s> user
}

TEST(CorpusTexts, OfModelsOfOtherTokenizersEndWhereEitherWouldBeTooLong) {
  const char* letters = R"({"version":"1.0","added_tokens":[],"normalizer":null,"pre_tokenizer":{"type":"Split",
    "pattern":{"Regex":"[a-c]| "},"behavior":"Isolated","invert":false},"post_processor":null,"decoder":null,
    "model":{"type":"WordLevel","vocab":{"a":0,"b":1,"c":2," ":3,"[UNK]":4},"unk_token":"[UNK]"}})";
  const Tokenizer base = words(), target = Tokenizer::from_json(letters, Json::object(), "");
  const auto read = [&](CorpusText text) {
    return corpus_texts({base, target, false}, {.texts = {std::move(text)}}, {.max_tokens = 100, .max_length = 4}).at(0);
  };
  const TracedText text = read(plain("a b c a b c"));  // spaces are tokens of the target
  EXPECT_EQ(text.ids, (TokenIds{3, 4}));
  EXPECT_EQ(text.target->ids, (TokenIds{0, 3, 1}));
  EXPECT_EQ(text.target->partners, (std::vector<int32_t>{0, 2}));
  expect_failure([&] { read({.messages = {{"user", "a"}}, .place = "line 7 of chats.jsonl"}); }, ErrorCode::kUnsupported,
                 {"line 7 of chats.jsonl", "templates of their own"});
}

std::vector<TracedText> some(size_t count, const std::string& category) {
  std::vector<TracedText> texts(count);
  for (size_t i = 0; i < count; ++i) texts[i] = {.ids = {static_cast<int32_t>(i), 9}, .category = category};
  return texts;
}

int64_t tokens_of(const std::vector<TracedText>& texts, const std::string& category) {
  int64_t tokens = 0;
  for (const TracedText& text : texts) tokens += text.category == category ? static_cast<int64_t>(text.ids.size()) : 0;
  return tokens;
}

TEST(MixTexts, TakesHalfFromEachAndMoreFromOneWhereTheOtherHasLess) {
  struct Case {
    size_t answers, corpus;
    int64_t answer_tokens, corpus_tokens;
  };
  for (const Case& c : {Case{100, 100, 20, 20}, Case{5, 100, 10, 30}, Case{100, 5, 30, 10}, Case{3, 4, 6, 8}}) {
    const auto mixed = mix_texts(some(c.answers, "sums"), some(c.corpus, kOwnTexts), 40, 0);
    EXPECT_EQ(tokens_of(mixed, "sums"), c.answer_tokens) << c.answers;
    EXPECT_EQ(tokens_of(mixed, kOwnTexts), c.corpus_tokens) << c.corpus;
  }
}

TEST(MixTexts, IsInRandomOrderThatTheSeedFixes) {
  const auto categories = [](uint64_t seed) {
    std::vector<std::string> found;
    for (const TracedText& text : mix_texts(some(20, "sums"), some(20, kOwnTexts), 80, seed)) found.push_back(text.category);
    return found;
  };
  EXPECT_EQ(categories(1), categories(1));
  EXPECT_NE(categories(1), categories(2));
  EXPECT_FALSE(std::is_sorted(categories(1).begin(), categories(1).end()));
}

}  // namespace
}  // namespace fi
