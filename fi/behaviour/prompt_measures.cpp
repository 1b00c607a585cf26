#include "fi/behaviour/prompt_measures.h"

#include <algorithm>
#include <map>
#include <utility>

#include "fi/behaviour/text_view.h"

namespace fi {

PromptTable tabulate_prompts(const std::vector<AnswerPair>& pairs) {
  PromptTable table;
  std::map<std::pair<size_t, int64_t>, size_t> prompt_at;
  std::map<std::string, size_t> category_at;
  for (size_t i = 0; i < pairs.size(); ++i) {
    const auto [category, is_new_category] = category_at.emplace(pairs[i].category, table.categories.size());
    if (is_new_category) table.categories.push_back(pairs[i].category);
    const auto [prompt, is_new] = prompt_at.emplace(std::pair(category->second, pairs[i].prompt_index), table.num_prompts());
    if (is_new) {
      table.category_of.push_back(category->second);
      table.pairs_of.emplace_back();
    }
    table.pairs_of[prompt->second].push_back(i);
  }
  return table;
}

PromptMeasures PromptMeasures::only(const PromptTable& table, const std::vector<bool>& chosen) const {
  PromptMeasures kept;
  for (size_t prompt = 0; prompt < base.size(); ++prompt) {
    if (!chosen[table.category_of[prompt]]) continue;
    kept.base.push_back(base[prompt]);
    kept.target.push_back(target[prompt]);
  }
  return kept;
}

std::vector<double> PromptMeasures::differences() const {
  std::vector<double> result(base.size());
  std::transform(target.begin(), target.end(), base.begin(), result.begin(), std::minus<>());
  return result;
}

std::vector<PromptMeasures> measure_prompts(const std::vector<AnswerPair>& pairs, const PromptTable& table,
                                            const DetectorList& detectors, const std::vector<std::vector<bool>>& wanted) {
  const size_t num_prompts = table.num_prompts();
  std::vector<PromptMeasures> measures(detectors.size(), {std::vector<double>(num_prompts), std::vector<double>(num_prompts)});
  for (size_t prompt = 0; prompt < num_prompts; ++prompt) {
    const double weight = 1.0 / static_cast<double>(table.pairs_of[prompt].size());
    for (const size_t i : table.pairs_of[prompt]) {
      const AnswerPair& pair = pairs[i];
      for (size_t d = 0; d < detectors.size(); ++d) {
        if (!wanted.empty() && !wanted[d][table.category_of[prompt]]) continue;
        const double base = detectors[d]->measure(pair.prompt, pair.base);
        const double target = pair.base == pair.target ? base : detectors[d]->measure(pair.prompt, pair.target);
        measures[d].base[prompt] += weight * base;
        measures[d].target[prompt] += weight * target;
      }
    }
  }
  return measures;
}

}  // namespace fi
