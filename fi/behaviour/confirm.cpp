#include <algorithm>
#include <cmath>
#include <numeric>

#include "fi/behaviour/finding_statistics.h"
#include "fi/behaviour/findings.h"
#include "fi/behaviour/prompt_measures.h"
#include "fi/core/random.h"
#include "fi/core/statistics.h"

namespace fi {
namespace {

std::vector<bool> chosen_categories(const PromptTable& table, const Candidate& candidate) {
  std::vector<bool> chosen;
  for (const std::string& category : table.categories) {
    chosen.push_back(std::find(candidate.categories.begin(), candidate.categories.end(), category) != candidate.categories.end());
  }
  return chosen;
}

void add_elsewhere(Finding& finding, const PromptMeasures& discovery, const PromptTable& table) {
  std::vector<bool> elsewhere = chosen_categories(table, finding.candidate);
  elsewhere.flip();
  const PromptMeasures others = discovery.only(table, elsewhere);
  finding.base_elsewhere = mean(others.base);
  finding.target_elsewhere = mean(others.target);
}

// Weighted Benjamini-Hochberg (Genovese, Roeder and Wasserman, 2006) over everything that was tried. The weights come from other
// prompts than the p-values: half of all weight lies on the candidates, half on what discovery did not choose, which takes part
// with p = 1. With K candidates among m hypotheses each has the weight m / 2K, which is the plain adjustment among 2K.
void adjust_for_everything_tried(std::vector<Finding>& findings) {
  std::vector<double> p_values;
  for (const Finding& finding : findings) p_values.push_back(finding.p_value);
  const std::vector<double> q_values = benjamini_hochberg(p_values, 2 * static_cast<int64_t>(p_values.size()));
  for (size_t i = 0; i < findings.size(); ++i) findings[i].q_value = q_values[i];
}

}  // namespace

std::vector<Finding> confirm(const Screening& screening, const std::vector<AnswerPair>& discovery,
                             const std::vector<AnswerPair>& confirmation, uint64_t seed) {
  DetectorList detectors;
  for (const Candidate& candidate : screening.candidates) detectors.push_back(candidate.detector);
  const PromptTable old_table = tabulate_prompts(discovery);
  const PromptTable new_table = tabulate_prompts(confirmation);
  std::vector<std::vector<bool>> chosen;
  for (const Candidate& candidate : screening.candidates) chosen.push_back(chosen_categories(new_table, candidate));
  const std::vector<PromptMeasures> old_measures = measure_prompts(discovery, old_table, detectors);
  const std::vector<PromptMeasures> new_measures = measure_prompts(confirmation, new_table, detectors, chosen);
  std::vector<Finding> findings;
  for (size_t i = 0; i < screening.candidates.size(); ++i) {
    const Candidate& candidate = screening.candidates[i];
    const uint64_t own_seed = seed ^ stream_of(candidate.detector->words().id.c_str());
    findings.push_back(measure_finding(candidate, new_measures[i].only(new_table, chosen[i]), own_seed));
    add_elsewhere(findings.back(), old_measures[i], old_table);
    findings.back().examples = clearest_examples(findings.back(), new_table, chosen[i], confirmation);
  }
  adjust_for_everything_tried(findings);
  return findings;
}

Json to_json(const Finding& finding) {
  const Detector::Words& words = finding.candidate.detector->words();
  return {
      {"detector", words.id},
      {"capability", words.capability},
      {"shows", words.shows},
      {"group", words.group},
      {"definition", words.definition},
      {"is_scalar", words.is_scalar},
      {"unit", words.unit},
      {"categories", finding.candidate.categories},
      {"discovery",
       {{"base", finding.candidate.base}, {"target", finding.candidate.target}, {"effect_size", finding.candidate.effect_size}}},
      {"base", finding.base},
      {"target", finding.target},
      {"ci_low", finding.ci_low},
      {"ci_high", finding.ci_high},
      {"p_value", finding.p_value},
      {"q_value", finding.q_value},
      {"effect_size", finding.effect_size},
      {"num_prompts", finding.num_prompts},
      {"base_elsewhere", finding.base_elsewhere},
      {"target_elsewhere", finding.target_elsewhere},
      {"examples", finding.examples}};
}

}  // namespace fi
