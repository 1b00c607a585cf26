#include "fi/tokenizer/token_map.h"

#include <gtest/gtest.h>

namespace fi {
namespace {

Tokenizer tokenizer_of(const std::vector<std::string>& tokens, const std::string& special = "<s>") {
  Json vocabulary = Json::object();
  for (size_t i = 0; i < tokens.size(); ++i) vocabulary[tokens[i]] = i;
  const Json document = {{"version", "1.0"},
                         {"added_tokens",
                          {{{"id", vocabulary.at(special)},
                            {"content", special},
                            {"single_word", false},
                            {"lstrip", false},
                            {"rstrip", false},
                            {"normalized", false},
                            {"special", true}}}},
                         {"normalizer", nullptr},
                         {"pre_tokenizer", nullptr},
                         {"post_processor", nullptr},
                         {"decoder", nullptr},
                         {"model", {{"type", "WordLevel"}, {"vocab", vocabulary}, {"unk_token", tokens.back()}}}};
  return Tokenizer::from_json(document.dump(), Json::object(), "");
}

TEST(TokenMap, OfATokenizerToItselfIsTheIdentity) {
  const Tokenizer tokenizer = tokenizer_of({"<s>", "a", "b"});
  const TokenMap map = map_tokens(tokenizer, tokenizer);
  EXPECT_TRUE(map.is_identity());
  EXPECT_EQ(map.base, (TokenIds{0, 1, 2}));
  EXPECT_EQ(map.target, map.base);
}

TEST(TokenMap, ComparesStringsNotIds) {
  const TokenMap map = map_tokens(tokenizer_of({"<s>", "a", "b", "old"}), tokenizer_of({"<s>", "b", "a", "new", "newer"}));
  EXPECT_FALSE(map.is_identity());
  EXPECT_EQ(map.base, (TokenIds{0, 1, 2}));
  EXPECT_EQ(map.target, (TokenIds{0, 2, 1}));
  ASSERT_EQ(map.swaps.size(), 3u);
  EXPECT_EQ(map.swaps[2].id, 3);
  EXPECT_EQ(map.swaps[2].base, "old");
  EXPECT_EQ(map.swaps[2].target, "new");
  EXPECT_EQ(map.num_only_base, 1);
  EXPECT_EQ(map.num_only_target, 2);
}

TEST(TokenMap, KnowsBothSpellingsOfSpacesAndBytes) {
  const TokenMap map = map_tokens(tokenizer_of({"<s>", "\u0120", "\u0120the", "\u010a", "caf\u00c3\u00a9"}),
                                  tokenizer_of({"<s>", "caf\u00e9", "\u2581", "\u2581the", "<0x0A>"}));
  EXPECT_EQ(map.base, (TokenIds{0, 1, 2, 3, 4}));
  EXPECT_EQ(map.target, (TokenIds{0, 2, 3, 4, 1}));
  EXPECT_EQ(map.num_only_base + map.num_only_target, 0);
}

TEST(TokenMap, ASpecialTokenIsNoText) {
  const TokenMap map = map_tokens(tokenizer_of({"<s>", "</s>", "a"}), tokenizer_of({"<s>", "</s>", "a"}, "</s>"));
  EXPECT_EQ(map.base, (TokenIds{2}));
  EXPECT_EQ(map.swaps.size(), 2u);
}

}  // namespace
}  // namespace fi
