#include "fi/tokenizer/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fi/core/error.h"
#include "fi/io/atomic_file.h"
#include "fi/io/jsonl.h"
#include "fi/tokenizer/gguf_vocabulary.h"
#include "tests/smollm2.h"

namespace fi {
namespace {

const Tokenizer* smollm2() {
  static const std::optional<Tokenizer> tokenizer = [] {
    const auto path = smollm2_path();
    return path ? std::optional(Tokenizer::load({.format = WeightFormat::kGguf, .weights = {*path}})) : std::nullopt;
  }();
  return tokenizer ? &*tokenizer : nullptr;
}

constexpr const char* kTinyJson = R"({"version":"1.0","added_tokens":[{"id":0,"content":"<s>","single_word":false,"lstrip":false,
  "rstrip":false,"normalized":false,"special":true}],"normalizer":null,"pre_tokenizer":{"type":"Whitespace"},"post_processor":null,
  "decoder":null,"model":{"type":"WordLevel","vocab":{"<s>":0,"hello":1,"world":2,"[UNK]":3},"unk_token":"[UNK]"}})";

TEST(Tokenizer, EncodesWithSpansAndDecodes) {
  const Tokenizer tokenizer = Tokenizer::from_json(kTinyJson, Json::object(), "");
  const Encoding encoding = tokenizer.encode("<s> hello there world", false);
  EXPECT_EQ(encoding.ids, (TokenIds{0, 1, 3, 2}));
  EXPECT_EQ(encoding.spans[3], std::pair(size_t{16}, size_t{21}));
  EXPECT_TRUE(tokenizer.is_special(0));  // an id of 0 is an id like any other
  EXPECT_EQ(tokenizer.token_id("<s>"), 0);
  EXPECT_EQ(tokenizer.token_id("absent"), std::nullopt);
}

TEST(Tokenizer, ChatTemplateGetsExactlyOneBos) {
  const Json config = {{"bos_token", {{"content", "<s>"}}}};
  const Tokenizer tokenizer =
      Tokenizer::from_json(kTinyJson, config, "{{ bos_token }}{% for m in messages %} {{ m.content }}{% endfor %}");
  EXPECT_EQ(tokenizer.encode_prompt("hello"), (TokenIds{0, 1}));
}

TEST(Tokenizer, TheConfigDecidesAboutBosWhateverThePostProcessorDoes) {
  Json adds = Json::parse(kTinyJson);
  adds["post_processor"] = {
      {"type", "TemplateProcessing"},
      {"single", {{{"SpecialToken", {{"id", "<s>"}, {"type_id", 0}}}}, {{"Sequence", {{"id", "A"}, {"type_id", 0}}}}}},
      {"pair", Json::array()},
      {"special_tokens", {{"<s>", {{"id", "<s>"}, {"ids", {0}}, {"tokens", {"<s>"}}}}}}};
  const auto ids = [](const std::string& document, std::optional<bool> add_bos, const char* text) {
    Json config = {{"bos_token", "<s>"}};
    if (add_bos) config["add_bos_token"] = *add_bos;
    const Tokenizer tokenizer = Tokenizer::from_json(document, config, "");
    EXPECT_EQ(tokenizer.encode(text, false).ids.size(), std::string_view(text).starts_with("<s>") ? 2u : 1u);
    return tokenizer.encode_prompt(text);
  };
  for (const std::string& document : {std::string(kTinyJson), adds.dump()}) {
    EXPECT_EQ(ids(document, true, "hello"), (TokenIds{0, 1}));
    EXPECT_EQ(ids(document, false, "hello"), (TokenIds{1}));
    EXPECT_EQ(ids(document, true, "<s> hello"), (TokenIds{0, 1}));
    EXPECT_EQ(ids(document, false, "<s> hello"), (TokenIds{0, 1}));
  }
  EXPECT_EQ(ids(adds.dump(), std::nullopt, "hello"), (TokenIds{0, 1}));
  EXPECT_EQ(ids(kTinyJson, std::nullopt, "hello"), (TokenIds{1}));
}

TEST(GgufVocabulary, SentencePieceModelsMatchSentencePiece) {
  const std::string path = FI_TEST_DATA "/tokenizer/sentencepiece.json";
  for (const Json& model : parse_json(read_file(path, "test"), "test", path)) {
    GgufVocabulary vocabulary{.model = "llama", .unknown_id = 0, .add_space_prefix = model["add_space_prefix"].get<bool>()};
    vocabulary.tokens = model["pieces"].get<std::vector<std::string>>();
    vocabulary.token_types = model["types"].get<std::vector<int64_t>>();
    vocabulary.scores = model["scores"].get<std::vector<double>>();
    const Tokenizer tokenizer = Tokenizer::from_json(tokenizer_json_from_gguf(vocabulary), Json::object(), "");
    for (const Json& row : model["texts"]) {
      const std::string text = row["text"];
      EXPECT_EQ(tokenizer.encode(text, false).ids, row["ids"].get<TokenIds>()) << text;
      EXPECT_EQ(tokenizer.decode(row["ids"].get<TokenIds>(), false), text);
    }
  }
}

TEST(GgufVocabulary, Llama3BeginsWithBosAndTakesWholeWords) {
  GgufVocabulary vocabulary{.model = "gpt2",
                            .pre = "llama-bpe",
                            .tokens = {"h", "i", "hi", "<s>"},
                            .token_types = {1, 1, 1, 3},
                            .bos_id = 3,
                            .add_bos = true};
  const Tokenizer tokenizer = Tokenizer::from_json(tokenizer_json_from_gguf(vocabulary), {{"bos_token", "<s>"}}, "");
  EXPECT_EQ(tokenizer.encode_prompt("hi"), (TokenIds{3, 2}));  // "hi" is a token, though no merge makes it
}

TEST(Tokenizer, HostileDocumentsAreErrorsNotCrashes) {
  for (const char* json : {"", "{", "[]", R"({"model":{"type":"BPE","vocab":{"a":0},"merges":["a b"]}})",
                           R"({"version":"1.0","model":{"type":"BPE","vocab":{"a":0,"b":1},"merges":[["a","b"]]}})"}) {
    try {
      Tokenizer::from_json(json, Json::object(), "");
      ADD_FAILURE() << json;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalid);
    }
  }
}

class HostileTemplate : public testing::TestWithParam<std::string> {};

TEST_P(HostileTemplate, EndsWithAnError) {
  const Tokenizer tokenizer = Tokenizer::from_json(kTinyJson, Json::object(), GetParam());
  try {
    tokenizer.render_chat({{"user", "hi"}}, true);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalid);
    EXPECT_THAT(error.what(), testing::HasSubstr("chat template"));
  }
}

std::string nested_ifs(int depth) {
  std::string text;
  for (int i = 0; i < depth; ++i) text += "{% if true %}";
  for (int i = 0; i < depth; ++i) text += "{% endif %}";
  return text;
}

INSTANTIATE_TEST_SUITE_P(Templates, HostileTemplate,
                         testing::Values("{% for i in range(1000000000) %}x{% endfor %}",
                                         "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "{{ raise_exception('no') }}",
                                         "{% include '/etc/passwd' %}", nested_ifs(20000),
                                         "{% for a in range(9999) %}{% for b in range(9999) %}{{ a }}{% endfor %}{% endfor %}"));

TEST(Tokenizer, SmolLm2MatchesItsPeerOnTwoThousandStringsInTwentyScripts) {
  ASSERT_NE(smollm2(), nullptr) << "SmolLM2 is not there; run make setup";
  const std::vector<Json> rows = read_jsonl(FI_TEST_DATA "/tokenizer/smollm2.jsonl", "test");
  ASSERT_EQ(rows.size(), 2000u);
  for (const Json& row : rows) {
    const std::string text = row["text"];
    ASSERT_EQ(smollm2()->encode(text, false).ids, row["ids"].get<TokenIds>()) << text;
    EXPECT_EQ(smollm2()->decode(row["ids"].get<TokenIds>(), false), text);
  }
}

TEST(Tokenizer, SmolLm2WritesItsChatTemplate) {
  ASSERT_NE(smollm2(), nullptr) << "SmolLM2 is not there; run make setup";
  EXPECT_EQ(smollm2()->render_chat({{"user", "Hi"}}, true),
            "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging "
            "Face<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
            "<|im_start|>assistant\n");
  EXPECT_EQ(smollm2()->encode("The capital of France is", false).ids, (TokenIds{504, 3575, 282, 4649, 314}));
}

}  // namespace
}  // namespace fi
