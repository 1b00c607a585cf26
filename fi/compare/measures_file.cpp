#include "fi/compare/measures_file.h"

#include <algorithm>
#include <string>
#include <vector>

#include "fi/behaviour/prompt_measures.h"
#include "fi/io/atomic_file.h"

namespace fi {
namespace {

std::vector<bool> tested_categories(const PromptTable& table, const Finding& finding) {
  const std::vector<std::string>& tested = finding.candidate.categories;
  std::vector<bool> chosen;
  for (const std::string& category : table.categories) chosen.push_back(std::ranges::find(tested, category) != tested.end());
  return chosen;
}

Json measures_document(const Finding& finding, const PromptTable& table, const std::vector<AnswerPair>& pairs) {
  const std::vector<bool> chosen = tested_categories(table, finding);
  const PromptMeasures all = measure_prompts(pairs, table, {finding.candidate.detector}, {chosen}).front();
  const PromptMeasures tested = all.only(table, chosen);
  Json categories = Json::array(), prompts = Json::array();
  for (size_t prompt = 0; prompt < table.num_prompts(); ++prompt) {
    if (!chosen[table.category_of[prompt]]) continue;
    const AnswerPair& pair = pairs[table.pairs_of[prompt].front()];
    categories.push_back(pair.category);
    prompts.push_back(pair.prompt_index);
  }
  return {{"detector", finding.candidate.detector->words().id},
          {"category", std::move(categories)},
          {"prompt_index", std::move(prompts)},
          {"base", tested.base},
          {"target", tested.target}};
}

}  // namespace

void write_measures(const Analysis& analysis, const std::filesystem::path& path) {
  const PromptTable table = tabulate_prompts(analysis.confirmation);
  std::string lines;
  for (const Finding& finding : analysis.findings)
    lines += measures_document(finding, table, analysis.confirmation).dump() + '\n';
  write_file_atomically(path, lines);
}

}  // namespace fi
