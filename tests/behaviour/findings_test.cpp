#include "fi/behaviour/findings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "fi/behaviour/category_set.h"
#include "fi/core/error.h"
#include "fi/core/random.h"

namespace fi {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;

constexpr int64_t kNumDiscovery = 6;
constexpr int64_t kNumConfirmation = 14;

// Answers of two equal models: the same chances of wording, drawn twice.
class Answers {
 public:
  explicit Answers(uint64_t seed) : random_(seed, stream_of("synthetic answers")) {}

  std::string write(size_t category) {
    const std::vector<std::string> openings = {"Sure, here is an idea.", "The answer depends on taste.", "Hello!",
                                               "It is simple."};
    const std::vector<std::string> closings = {"I hope this helps!", "That is all.", "Would you like more?",
                                               "**Note:** it may vary."};
    std::string text = openings[random_.below(4)] + " ";
    for (int i = 0; i < 25; ++i) {
      // Words of a small vocabulary that depends on the category, as topics do.
      text += "w" + std::string(1, static_cast<char>('a' + category % 26)) +
              std::string(1, static_cast<char>('a' + random_.below(20)));
      text += random_.below(8) == 0 ? ". " : " ";
    }
    if (random_.below(3) == 0) text += "\n1. one thing\n2. another thing\n";
    return text + closings[random_.below(4)];
  }

 private:
  Random random_;
};

struct Data {
  std::vector<AnswerPair> discovery;
  std::vector<AnswerPair> confirmation;
};

template <typename Change>
Data make_data(uint64_t seed, size_t num_categories, Change change) {
  Answers answers(seed);
  Data data;
  for (size_t c = 0; c < num_categories; ++c) {
    for (int64_t i = 0; i < kNumDiscovery + kNumConfirmation; ++i) {
      AnswerPair pair{.category = "category" + std::to_string(c), .prompt_index = i, .prompt = "Question " + std::to_string(i)};
      pair.base = answers.write(c);
      pair.target = change(c, answers.write(c));
      auto& side = i < kNumDiscovery ? data.discovery : data.confirmation;
      pair.split = i < kNumDiscovery ? Split::kDiscovery : Split::kConfirmation;
      side.push_back(std::move(pair));
    }
  }
  return data;
}

std::vector<Finding> analyse(const Data& data, const DetectorList& detectors, uint64_t seed) {
  return confirm(screen(data.discovery, detectors, {.seed = seed}), data.discovery, data.confirmation, seed);
}

bool holds(const Finding& finding) {
  return finding.q_value <= 0.05 && std::abs(finding.effect_size) >= 0.3 &&
         finding.effect_size * finding.candidate.effect_size > 0.0;
}

const Finding* find(const std::vector<Finding>& findings, const std::string& id) {
  const auto found = std::find_if(findings.begin(), findings.end(),
                                  [&](const Finding& f) { return f.candidate.detector->words().id == id && holds(f); });
  return found == findings.end() ? nullptr : &*found;
}

DetectorList some_detectors() {
  DetectorList chosen;
  for (const auto& detector : builtin_detectors()) {
    const Detector::Words& words = detector->words();
    if (words.is_scalar || words.group == "dialogue" || words.group == "format") chosen.push_back(detector);
  }
  return chosen;
}

TEST(Findings, EqualModelsGiveHardlyAny) {
  const DetectorList detectors = some_detectors();
  constexpr int kNumSeeds = 200;
  int num_runs_with_findings = 0;
  int num_runs_with_candidates = 0;
  for (uint64_t seed = 0; seed < kNumSeeds; ++seed) {
    const Data data = make_data(seed, 4, [](size_t, std::string text) { return text; });
    const Screening screening = screen(data.discovery, detectors, {.max_candidates = 16, .seed = seed});
    const std::vector<Finding> findings = confirm(screening, data.discovery, data.confirmation, seed);
    num_runs_with_candidates += findings.empty() ? 0 : 1;
    num_runs_with_findings +=
        std::any_of(findings.begin(), findings.end(), [](const Finding& f) { return f.q_value <= 0.05; }) ? 1 : 0;
  }
  EXPECT_GE(num_runs_with_candidates, kNumSeeds / 2);  // else nothing was put to the test
  EXPECT_LE(num_runs_with_findings, kNumSeeds / 20);
}

TEST(Findings, IdenticalAnswersGiveNone) {
  Data data = make_data(1, 10, [](size_t, std::string text) { return text; });
  for (AnswerPair& pair : data.discovery) pair.target = pair.base;
  EXPECT_TRUE(screen(data.discovery, builtin_detectors(), {}).candidates.empty());
}

// Half of a category's discovery prompts are too few for the categories' model, but a language that comes nowhere else is a
// hunch.
TEST(Findings, RareBehaviourInHalfOfOneCategoryIsFoundByAHunch) {
  const Data data = make_data(3, 50, [count = 0](size_t c, std::string text) mutable {
    const bool shows = c == 17 && (++count > kNumDiscovery || count % 2 == 0);
    return shows ? "Bien entendu ! Prenez votre temps, puis tournez la page et continuez avec le chapitre suivant." : text;
  });
  const Screening screening = screen(data.discovery, builtin_detectors(), {});
  EXPECT_LE(screening.candidates.size(), 48U);
  const std::vector<Finding> findings = confirm(screening, data.discovery, data.confirmation, 0);
  const bool found = std::any_of(findings.begin(), findings.end(), [](const Finding& f) {
    return holds(f) && f.candidate.detector->words().group == "language" &&
           f.candidate.categories == std::vector<std::string>{"category17"};
  });
  EXPECT_TRUE(found);
}

TEST(Findings, BehaviourInOneOfFiftyCategories) {
  for (uint64_t seed = 0; seed < 3; ++seed) {
    const Data data = make_data(seed, 50, [](size_t c, std::string text) {
      return c == 17 ? "Step 1: Take it.\nStep 2: Turn it.\nTherefore, it works." : text;
    });
    const std::vector<Finding> findings = analyse(data, builtin_detectors(), seed);
    const Finding* steps = find(findings, "step_markers");
    ASSERT_NE(steps, nullptr) << seed;
    EXPECT_THAT(steps->candidate.categories, ElementsAre("category17"));
    EXPECT_EQ(steps->effect_size, 1.0);
    EXPECT_EQ(steps->num_prompts, kNumConfirmation);
    EXPECT_EQ(steps->target_elsewhere, 0.0);
    EXPECT_EQ(steps->examples.size(), 5U);
    for (const int64_t i : steps->examples) EXPECT_EQ(data.confirmation[static_cast<size_t>(i)].category, "category17");
    EXPECT_GT(steps->ci_low, 0.0);
    EXPECT_NE(find(findings, "conclusion_line"), nullptr);
  }
}

TEST(Findings, LostBehaviourWithARefusalInItsPlace) {
  const Data data =
      make_data(5, 50, [](size_t c, std::string text) { return c == 3 ? "I am unable to do that for you." : text; });
  const std::vector<Finding> findings = analyse(data, builtin_detectors(), 5);
  const Finding* refusal = find(findings, "refusal");
  ASSERT_NE(refusal, nullptr);
  EXPECT_THAT(refusal->candidate.categories, ElementsAre("category3"));
}

TEST(Findings, WeakerBehaviourInAFewCategories) {
  Random random(8);
  const Data data = make_data(8, 50, [&](size_t c, std::string text) {
    return c < 4 && random.below(10) < 8 ? "<think>" + text + "</think> So it is." : text;
  });
  const std::vector<Finding> findings = analyse(data, builtin_detectors(), 8);
  const Finding* finding = find(findings, "think_block");
  ASSERT_NE(finding, nullptr);
  for (const char* category : {"category0", "category1", "category2", "category3"}) {
    EXPECT_THAT(finding->candidate.categories, Contains(category));
  }
  EXPECT_EQ(finding->candidate.categories.size(), 4U);
}

TEST(Findings, BehaviourEverywhereIsOneFinding) {
  Random random(2);
  const Data data = make_data(2, 30, [&](size_t, std::string text) { return random.below(10) < 8 ? text + " 😀" : text; });
  const std::vector<Finding> findings = analyse(data, builtin_detectors(), 2);
  const Finding* emoji = find(findings, "emoji");
  ASSERT_NE(emoji, nullptr);
  EXPECT_EQ(emoji->candidate.categories.size(), 30U);
  EXPECT_EQ(emoji->num_prompts, 30 * kNumConfirmation);
  EXPECT_EQ(emoji->base_elsewhere, 0.0);
}

TEST(Findings, APhraseThatNoConceptForesees) {
  const Data data = make_data(
      4, 50, [](size_t c, std::string text) { return c == 40 ? text + " The copper walrus never sleeps at noon today." : text; });
  const std::vector<Finding> findings = analyse(data, some_detectors(), 4);
  const auto phrase = std::find_if(findings.begin(), findings.end(), [](const Finding& f) {
    return holds(f) && f.candidate.detector->words().id.find("copper walrus never sleeps") != std::string::npos;
  });
  ASSERT_NE(phrase, findings.end());
  EXPECT_EQ(phrase->candidate.detector->words().id, "phrase:the copper walrus never sleeps at noon today");
  EXPECT_THAT(phrase->candidate.categories, ElementsAre("category40"));
  EXPECT_EQ(phrase->base, 0.0);
  EXPECT_EQ(phrase->target, 1.0);
}

TEST(Findings, AScalarInOneCategory) {
  const Data data = make_data(6, 30, [](size_t c, std::string text) { return c == 9 ? text + text + text : text; });
  const std::vector<Finding> findings = analyse(data, builtin_detectors(), 6);
  const Finding* length = find(findings, "length_words");
  ASSERT_NE(length, nullptr);
  EXPECT_THAT(length->candidate.categories, ElementsAre("category9"));
  EXPECT_GT(length->target, 2.0 * length->base);
}

TEST(Findings, CountEveryHypothesis) {
  const Data data = make_data(1, 10, [](size_t, std::string text) { return text; });
  const Screening screening = screen(data.discovery, builtin_detectors(), {});
  EXPECT_GE(screening.num_hypotheses, static_cast<int64_t>(builtin_detectors().size() * 11));
}

TEST(Findings, EqualSeedsGiveEqualBytes) {
  const auto run = [] {
    const Data data = make_data(9, 20, [](size_t c, std::string text) { return c == 1 ? text + " Ahoy, matey!" : text; });
    std::string text;
    for (const Finding& finding : analyse(data, builtin_detectors(), 9)) text += to_pretty_json(to_json(finding));
    return text;
  };
  const std::string first = run();
  EXPECT_FALSE(first.empty());
  EXPECT_EQ(first, run());
}

TEST(Findings, SeveralAnswersToAPromptAreOneObservation) {
  Data data = make_data(3, 5, [](size_t c, std::string text) { return c == 0 ? "Arr, matey." : text; });
  const std::vector<Finding> once = analyse(data, builtin_detectors(), 3);
  for (auto* side : {&data.discovery, &data.confirmation}) {
    const std::vector<AnswerPair> copy = *side;
    side->insert(side->end(), copy.begin(), copy.end());
  }
  const std::vector<Finding> twice = analyse(data, builtin_detectors(), 3);
  ASSERT_NE(find(once, "pirate"), nullptr);
  ASSERT_NE(find(twice, "pirate"), nullptr);
  EXPECT_EQ(find(once, "pirate")->p_value, find(twice, "pirate")->p_value);
  EXPECT_EQ(find(twice, "pirate")->num_prompts, kNumConfirmation);
}

TEST(Findings, HostileInputs) {
  EXPECT_TRUE(screen({}, builtin_detectors(), {}).candidates.empty());
  EXPECT_TRUE(confirm({}, {}, {}, 0).empty());
  EXPECT_THROW(screen({}, builtin_detectors(), {.min_effect_size = 2.0}), Error);
  Data data = make_data(7, 3, [](size_t c, std::string text) { return c == 0 ? "Arr, matey." : text; });
  data.discovery[0].base = "";
  data.discovery[1].target = "\xFF\xFE broken \x80";
  data.discovery[2].target = std::string(2'000'000, 'x');
  const Screening screening = screen(data.discovery, builtin_detectors(), {});
  ASSERT_FALSE(screening.candidates.empty());
  for (const Finding& finding : confirm(screening, data.discovery, {}, 0)) {  // no prompts left to confirm on
    EXPECT_EQ(finding.p_value, 1.0);
    EXPECT_EQ(finding.q_value, 1.0);
    EXPECT_EQ(finding.num_prompts, 0);
  }
}

}  // namespace
}  // namespace fi
