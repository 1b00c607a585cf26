#include "fi/capture/aligned_text.h"

#include <gtest/gtest.h>

#include "fi/prompts/prompt_set.h"
#include "tests/smollm2.h"

namespace fi {
namespace {

/// A byte-level tokenizer without merges: a token a byte.
Tokenizer byte_tokenizer(const std::string& chat_template) {
  Json vocabulary = Json::object();
  int32_t next = 256;
  for (int32_t byte = 0; byte < 256; ++byte) {
    const bool is_plain = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    const int32_t shown = is_plain ? byte : next++;
    std::string text;
    if (shown >= 128) text += static_cast<char>(0xc0 | (shown >> 6));
    text += static_cast<char>(shown >= 128 ? 0x80 | (shown & 0x3f) : shown);
    vocabulary[text] = byte;
  }
  const Json byte_level = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}};
  const Json document = {{"version", "1.0"},
                         {"added_tokens", Json::array()},
                         {"normalizer", nullptr},
                         {"pre_tokenizer", byte_level},
                         {"post_processor", nullptr},
                         {"decoder", byte_level},
                         {"model", {{"type", "BPE"}, {"vocab", vocabulary}, {"merges", Json::array()}}}};
  return Tokenizer::from_json(document.dump(), Json::object(), chat_template);
}

std::string read_by(const Tokenizer& tokenizer, const TracedText& text, size_t first, size_t end) {
  return tokenizer.decode({text.ids.begin() + static_cast<int64_t>(first), text.ids.begin() + static_cast<int64_t>(end)}, false);
}

TEST(AlignedText, OfOneTokenizerPairsEveryTokenOfPromptAndAnswer) {
  const Tokenizer tokenizer = byte_tokenizer("");
  const AlignedText text = align_text(tokenizer, tokenizer, "Why?", "So it is.", "any");
  EXPECT_EQ(text.base.ids, text.target.ids);
  ASSERT_EQ(text.positions.size(), text.base.ids.size());
  for (size_t i = 0; i < text.positions.size(); ++i) {
    EXPECT_EQ(text.positions[i].base, i);
    EXPECT_EQ(text.positions[i].target, i);
  }
  EXPECT_EQ(text.predictions.size(), 9u);
  EXPECT_EQ(text.predictions.front().base, 3u);
  EXPECT_EQ(text.num_bytes_covered, text.num_bytes);
}

TEST(AlignedText, TemplatesHaveNoPartner) {
  const Tokenizer plain = byte_tokenizer(""), chat = byte_tokenizer("User: {{ messages[0].content | trim }}\nBot:");
  const AlignedText text = align_text(plain, chat, " Why? ", "So.", "any");
  EXPECT_EQ(text.target.answer_start, 15);
  ASSERT_EQ(text.positions.size(), 4u + 3u);
  EXPECT_EQ(read_by(plain, text.base, 1, text.positions[3].base + 1), "Why?");
  EXPECT_EQ(read_by(chat, text.target, 6, text.positions[3].target + 1), "Why?");
  EXPECT_EQ(text.predictions.size(), 3u);
  EXPECT_EQ(text.predictions.front().base, 5u);
  EXPECT_EQ(text.predictions.front().target, 14u);
}

TEST(AlignedText, AsATextOfRowsEveryPositionKnowsItsPartner) {
  const Tokenizer plain = byte_tokenizer(""), chat = byte_tokenizer("User: {{ messages[0].content | trim }}\nBot:");
  const TracedText text = traced_text(align_text(plain, chat, " Why? ", "So.", "any"));
  ASSERT_TRUE(text.target);
  EXPECT_EQ(text.category, "any");
  EXPECT_EQ(text.target->partners, (std::vector<int32_t>{-1, 6, 7, 8, 9, -1, 15, 16, 17}));
}

TEST(AlignedText, PlainTextHasNoTemplate) {
  const Tokenizer plain = byte_tokenizer(""), chat = byte_tokenizer("User: {{ messages[0].content | trim }}\nBot:");
  const TracedText text = traced_text(align_plain_text(plain, chat, "So.", "own"));
  EXPECT_EQ(text.answer_start, 0);
  EXPECT_EQ(text.target->ids, text.ids);
  EXPECT_EQ(text.target->partners, (std::vector<int32_t>{0, 1, 2}));
}

// SmolLM2's merges in its own template beside bytes without one.
TEST(AlignedText, CoversTheBuiltInPrompts) {
  const auto path = smollm2_path();
  ASSERT_TRUE(path) << "SmolLM2 is missing; run tools/setup.sh";
  const Tokenizer merged = Tokenizer::load({.format = WeightFormat::kGguf, .weights = {*path}});
  const Tokenizer bytes = byte_tokenizer("");
  size_t covered = 0, all = 0, num_positions = 0, num_tokens = 0;
  for (const PromptCategory& category : builtin_prompts().categories) {
    const std::string& prompt = category.prompts.front();
    const AlignedText text = align_text(merged, bytes, prompt, prompt, category.id);
    covered += text.num_bytes_covered;
    all += text.num_bytes;
    num_positions += text.positions.size();
    num_tokens += merged.encode(prompt, false).ids.size() * 2;
    for (const AlignedPosition& position : text.positions) {
      if (position.end <= prompt.size()) continue;
      const auto start = static_cast<size_t>(text.base.answer_start);
      EXPECT_EQ(read_by(merged, text.base, start, position.base + 1), prompt.substr(0, position.end - prompt.size()));
    }
  }
  EXPECT_GT(static_cast<double>(covered), 0.99 * static_cast<double>(all));
  EXPECT_GT(static_cast<double>(num_positions), 0.9 * static_cast<double>(num_tokens));
}

}  // namespace
}  // namespace fi
