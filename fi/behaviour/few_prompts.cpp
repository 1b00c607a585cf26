#include "fi/behaviour/few_prompts.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>

#include "fi/behaviour/finding_statistics.h"
#include "fi/behaviour/ngrams.h"
#include "fi/core/label_swaps.h"
#include "fi/core/random.h"
#include "fi/core/statistics.h"

namespace fi {
namespace {

constexpr size_t kPhraseAnswers = 3;        // of one model, to be counted at all
constexpr size_t kFewestOnOneSide = 6;      // a sign test of five prompts cannot reach 0.05
constexpr double kPromising = 0.05;         // p-value before the correction
constexpr double kShareOfFamily = 1.0 / 2;  // of the chance of any false claim

// Prompts for which one of the two answers holds the phrase and the other does not: the same for every swap of labels.
size_t num_one_sided(const PhraseCount& phrase) {
  std::vector<uint32_t> prompts;
  std::set_symmetric_difference(phrase.base.begin(), phrase.base.end(), phrase.target.begin(), phrase.target.end(),
                                std::back_inserter(prompts));
  return prompts.size();
}

// Of phrases that come in the same answers the longest.
DetectorList phrases_to_test(const std::vector<AnswerPair>& pairs, const PromptTable& table) {
  std::map<std::pair<std::vector<uint32_t>, std::vector<uint32_t>>, std::string> longest;
  for (const PhraseCount& phrase : count_phrases(pairs, table, kPhraseAnswers)) {
    if (num_one_sided(phrase) < kFewestOnOneSide) continue;
    std::string& text = longest[{phrase.base, phrase.target}];
    if (std::pair(phrase.text.size(), phrase.text) > std::pair(text.size(), text)) text = phrase.text;
  }
  DetectorList detectors;
  for (const auto& [answers, text] : longest) detectors.push_back(phrase_detector(text));
  return detectors;
}

class Search {
 public:
  Search(const std::vector<AnswerPair>& pairs, const ScreenOptions& options)
      : pairs_(pairs), table_(tabulate_prompts(pairs)), options_(options) {}

  FewPromptsSearch run(const DetectorList& detectors) {
    if (pairs_.empty()) return {};
    DetectorList concepts, others = phrases_to_test(pairs_, table_);
    for (const auto& detector : detectors) (detector->words().is_scalar ? others : concepts).push_back(detector);
    test_family(concepts);
    test_family(others);
    std::stable_sort(result_.findings.begin(), result_.findings.end(), [](const Finding& a, const Finding& b) {
      return std::pair(a.q_value, a.p_value) < std::pair(b.q_value, b.p_value);
    });
    return std::move(result_);
  }

 private:
  void test_family(const DetectorList& detectors) {
    const std::vector<PromptMeasures> measures = measure_prompts(pairs_, table_, detectors);
    std::vector<std::vector<double>> differences;
    for (const PromptMeasures& measure : measures) differences.push_back(measure.differences());
    const std::vector<AdjustedTest> tests = test_by_label_swaps(differences, options_.seed);
    result_.num_hypotheses += static_cast<int64_t>(detectors.size());
    for (size_t i = 0; i < tests.size(); ++i) {
      const Detector::Words& words = detectors[i]->words();
      const bool is_concept = !words.is_scalar && words.group != "phrase";
      const bool shows = is_concept && std::abs(cliffs_delta(measures[i].base, measures[i].target)) >= options_.min_effect_size &&
                         tests[i].p_value < 1.0;
      if (tests[i].p_value <= kPromising || shows) keep(detectors[i], measures[i], tests[i]);
    }
  }

  void keep(const std::shared_ptr<const Detector>& detector, const PromptMeasures& measures, const AdjustedTest& test) {
    const uint64_t own_seed = options_.seed ^ stream_of(detector->words().id.c_str());
    Finding finding = measure_finding({.detector = detector, .categories = table_.categories}, measures, own_seed);
    finding.candidate.base = finding.base;
    finding.candidate.target = finding.target;
    finding.candidate.effect_size = finding.effect_size;
    finding.p_value = test.p_value;
    finding.q_value = std::min(1.0, test.adjusted / kShareOfFamily);
    finding.examples = clearest_examples(finding, table_, std::vector<bool>(table_.categories.size(), true), pairs_);
    result_.findings.push_back(std::move(finding));
  }

  const std::vector<AnswerPair>& pairs_;
  PromptTable table_;
  const ScreenOptions& options_;
  FewPromptsSearch result_;
};

}  // namespace

FewPromptsSearch search_few_prompts(const std::vector<AnswerPair>& pairs, const DetectorList& detectors,
                                    const ScreenOptions& options) {
  return Search(pairs, options).run(detectors);
}

}  // namespace fi
