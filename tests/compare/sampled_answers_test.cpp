#include "fi/compare/sampled_answers.h"

#include <gtest/gtest.h>

#include "fi/io/atomic_file.h"
#include "tests/support/failure.h"
#include "tests/support/temporary_folder.h"

namespace fi {
namespace {

Json prompt_of(const std::vector<double>& base, const std::vector<double>& target) {
  return {{"base_measures", base}, {"target_measures", target}};
}

TEST(SampledAnswers, AreMeansOverPromptsWithAnIntervalOverPrompts) {
  const TemporaryFolder folder;
  const Json change = {{"detector", "steps"},
                       {"categories", {"algebra"}},
                       {"temperature", 0.7},
                       {"samples_a_prompt", 2},
                       {"prompts", {prompt_of({0, 0}, {1, 0}), prompt_of({0, 1}, {1, 1}), prompt_of({0, 0}, {1, 1})}}};
  write_file_atomically(folder.path() / "sampled.json", Json::array({change}).dump());
  const std::vector<SampledChange> changes = read_sampled_answers(folder.path() / "sampled.json", 0);
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].detector, "steps");
  const SampledEffect& effect = changes[0].effect;
  EXPECT_EQ(effect.num_prompts, 3);
  EXPECT_DOUBLE_EQ(effect.base, 0.5 / 3);
  EXPECT_DOUBLE_EQ(effect.target, 2.5 / 3);
  EXPECT_GE(effect.ci_low, 0.5);  // of a prompt's two answers, at least one more in the target
  EXPECT_LE(effect.ci_high, 1.0);
}

TEST(SampledAnswers, AreNoneWithoutAFileAndADamagedOneIsNamed) {
  const TemporaryFolder folder;
  EXPECT_TRUE(read_sampled_answers(folder.path() / "absent.json", 0).empty());
  write_file_atomically(folder.path() / "sampled.json", R"([{"detector": "steps"}])");
  expect_failure([&] { read_sampled_answers(folder.path() / "sampled.json", 0); }, ErrorCode::kInvalid,
                 {"sampled.json is damaged"});
}

}  // namespace
}  // namespace fi
