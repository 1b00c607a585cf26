#include "fi/compare/name_hypotheses.h"

#include <map>

#include "fi/claims/wording.h"

namespace fi {

std::vector<CategoryHypothesis> name_hypotheses(const PromptSet& prompts, const std::set<std::vector<std::string>>& triggers) {
  CategoryTitles titles;
  std::map<std::string, std::set<std::string>> groups;
  for (const PromptCategory& category : prompts.categories) {
    titles[category.id] = category.title;
    for (const std::string& group : category.group) groups[group].insert(category.id);
  }
  std::vector<CategoryHypothesis> hypotheses;
  for (const auto& names : triggers) hypotheses.push_back({trigger_text(names, titles), {names.begin(), names.end()}});
  for (const auto& [group, names] : groups) hypotheses.push_back({group + " prompts", names});
  return hypotheses;
}

}  // namespace fi
