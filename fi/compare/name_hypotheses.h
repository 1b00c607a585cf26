#pragma once

#include <set>
#include <string>
#include <vector>

#include "fi/explain/category_name.h"
#include "fi/prompts/prompt_set.h"

namespace fi {

/// What a feature may be named after: the triggers of located changes (sets of category ids), and the broad groups of prompts.
std::vector<CategoryHypothesis> name_hypotheses(const PromptSet& prompts, const std::set<std::vector<std::string>>& triggers);

}  // namespace fi
