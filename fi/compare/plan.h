#pragma once

#include "fi/compare/options.h"
#include "fi/core/json.h"

namespace fi {

/// What `run_compare` would do and cost, without loading a weight: models, prompts, tokens, and an "estimate" of seconds, memory
/// and disk in bytes with "how" it was made. The time rests on a product that is measured for a fraction of a second on the
/// device that the run would use. Errors as `run_compare` gives them for the same options.
Json plan_compare(const CompareOptions& options);

}  // namespace fi
