#include "fi/intervene/transplant_answers.h"

#include <gtest/gtest.h>

#include "fi/model/load_model.h"
#include "tests/smollm2.h"

namespace fi {
namespace {

class LengthDetector final : public Detector {
 public:
  LengthDetector() : Detector({.id = "length", .is_scalar = true}) {}
  double measure(std::string_view, std::string_view answer) const override { return static_cast<double>(answer.size()); }
};

// All blocks exchanged make one model the other: its own answers are known from plain generation.
TEST(TransplantAnswers, WithEveryBlockExchangedEachModelAnswersAsTheOther) {
  const auto path = smollm2_path();
  ASSERT_TRUE(path) << "run tools/setup.sh, which fetches SmolLM2";
  const ModelFiles files = resolve_model(path->string(), {});
  const Tokenizer tokenizer = Tokenizer::load(files);
  const Decoder base = load_model(files, {}, silent_progress());
  const Decoder target = apply_adapter(base, std::filesystem::path(FI_TEST_DATA) / "../../demo/stepwise");
  const std::vector<std::string> prompts = {"Ana has 4 pens and buys 3 more. How many pens does Ana have now?"};
  const GenerateOptions options{.max_new_tokens = 12, .stop_ids = tokenizer.stop_ids()};
  const auto answer_of = [&](const Decoder& model) {
    const std::vector<TokenIds> ids = {tokenizer.encode_prompt(prompts[0])};
    return tokenizer.decode(generate(model, ids, options, silent_progress())[0].ids, true);
  };
  const auto rows = answer_with_exchanged_blocks(base, target, {0, base.config().num_layers}, prompts, LengthDetector(),
                                                 tokenizer, options, silent_progress());
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_NE(answer_of(base), answer_of(target));
  EXPECT_EQ(rows[0].example, answer_of(target));
  EXPECT_EQ(rows[0].model, "base with blocks 0-29 of the target");
  EXPECT_EQ(rows[1].example, answer_of(base));
  EXPECT_EQ(rows[2].example, answer_of(base));  // no other block is left for the control
  EXPECT_EQ(rows[0].mean, static_cast<double>(rows[0].example.size()));
}

}  // namespace
}  // namespace fi
