#pragma once

#include "fi/compare/options.h"
#include "fi/core/json.h"

namespace fi {

/// What `run_compare` would do and cost, without loading a weight: models, prompts, tokens, and an "estimate" of seconds, memory
/// and disk in bytes with "how" it was made. The time rests on a product that is measured for a fraction of a second on the
/// device that the run would use. Errors as `run_compare` gives them for the same options.
Json plan_compare(const CompareOptions& options);

/// The options with a budget of minutes fitted to these models on this machine (fi/compare/minutes_budget.h): as much as the
/// estimate of the plan says that these minutes allow, or the least that there is. Other budgets, and answers that are given,
/// stay as they are.
CompareOptions with_fitted_budget(const CompareOptions& options);

}  // namespace fi
