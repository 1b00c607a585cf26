#include "fi/behaviour/few_prompts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "fi/core/random.h"

namespace fi {
namespace {

// Answers of one vocabulary; about every third has each of a few habits.
std::string write_answer(Random& random) {
  const std::vector<std::string> openings = {"Sure, here is an idea. ", "It depends on taste. ", "Hello! ", "I think so. "};
  const std::vector<std::string> endings = {"\n1. one\n2. two\n", " Thank you!", " Would you like more?", "\n- a\n- b\n"};
  std::string text = openings[random.below(4)];
  for (int i = 0; i < 20; ++i) text += "word" + std::string(1, static_cast<char>('a' + random.below(12))) + " ";
  return text + endings[random.below(4)];
}

std::vector<AnswerPair> make_pairs(uint64_t seed, int64_t num_prompts) {
  Random random(seed, stream_of("few prompts"));
  std::vector<AnswerPair> pairs;
  for (int64_t i = 0; i < num_prompts; ++i) {
    AnswerPair pair{
        .category = "any", .prompt_index = i, .split = Split::kConfirmation, .prompt = "Question " + std::to_string(i)};
    pair.base = write_answer(random);
    pair.target = write_answer(random);
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

const Finding* find(const FewPromptsSearch& search, const std::string& id) {
  const auto found = std::find_if(search.findings.begin(), search.findings.end(),
                                  [&](const Finding& finding) { return finding.candidate.detector->words().id == id; });
  return found == search.findings.end() ? nullptr : &*found;
}

TEST(FewPrompts, FindAConceptAndAPhraseThatAllAnswersOfOneModelHave) {
  std::vector<AnswerPair> pairs = make_pairs(1, 12);
  for (AnswerPair& pair : pairs) pair.target = "Wait, let me double-check that. " + pair.target;
  const FewPromptsSearch search = search_few_prompts(pairs, builtin_detectors(), {});
  ASSERT_FALSE(search.findings.empty());
  const Finding& first = search.findings.front();
  EXPECT_EQ(first.base, 0.0);
  EXPECT_EQ(first.target, 1.0);
  EXPECT_LE(first.q_value, 0.05);
  EXPECT_GT(first.ci_low, 0.5);
  EXPECT_LT(first.ci_low, 0.9);  // twelve prompts are no certainty
  EXPECT_EQ(first.num_prompts, 12);
  EXPECT_FALSE(first.examples.empty());
  EXPECT_TRUE(std::any_of(search.findings.begin(), search.findings.end(), [](const Finding& finding) {
    const auto& words = finding.candidate.detector->words();
    return words.group == "phrase" && words.id.find("double") != std::string::npos;
  }));
  EXPECT_GT(search.num_hypotheses, static_cast<int64_t>(builtin_detectors().size()));
}

// Names of the models are all that a swap of every answer changes.
TEST(FewPrompts, SayTheSameWithTheModelsExchanged) {
  std::vector<AnswerPair> pairs = make_pairs(2, 10);
  for (AnswerPair& pair : pairs) pair.base = "I am sorry, but I cannot help with that. " + pair.base;
  const FewPromptsSearch search = search_few_prompts(pairs, builtin_detectors(), {});
  for (AnswerPair& pair : pairs) std::swap(pair.base, pair.target);
  const FewPromptsSearch exchanged = search_few_prompts(pairs, builtin_detectors(), {});
  EXPECT_EQ(search.num_hypotheses, exchanged.num_hypotheses);
  ASSERT_EQ(search.findings.size(), exchanged.findings.size());
  ASSERT_FALSE(search.findings.empty());
  for (const Finding& finding : search.findings) {
    const Finding* other = find(exchanged, finding.candidate.detector->words().id);
    ASSERT_NE(other, nullptr);
    EXPECT_EQ(finding.q_value, other->q_value);
    EXPECT_EQ(finding.effect_size, -other->effect_size);
  }
}

TEST(FewPrompts, FivePromptsCannotSayAnything) {
  std::vector<AnswerPair> pairs = make_pairs(3, 5);
  for (AnswerPair& pair : pairs) pair.target = "Wait, let me double-check that. " + pair.target;
  const FewPromptsSearch search = search_few_prompts(pairs, builtin_detectors(), {});
  EXPECT_FALSE(search.findings.empty());                                            // it shows
  for (const Finding& finding : search.findings) EXPECT_GT(finding.q_value, 0.05);  // and cannot be confirmed
  EXPECT_TRUE(search_few_prompts({}, builtin_detectors(), {}).findings.empty());
}

TEST(FewPrompts, EqualModelsHardlyEverShowAnything) {
  constexpr int kSamples = 60;
  int num_false = 0;
  int num_promising = 0;
  for (uint64_t seed = 0; seed < kSamples; ++seed) {
    const FewPromptsSearch search = search_few_prompts(make_pairs(100 + seed, 10), builtin_detectors(), {.seed = seed});
    num_promising += search.findings.empty() ? 0 : 1;
    num_false += std::any_of(search.findings.begin(), search.findings.end(),
                             [](const Finding& finding) { return finding.q_value <= 0.05; })
                     ? 1
                     : 0;
  }
  EXPECT_GT(num_promising, kSamples / 6);  // else nothing was put to the test
  EXPECT_LE(num_false, 8);                 // 0.05 of 60 and three standard deviations
}

}  // namespace
}  // namespace fi
