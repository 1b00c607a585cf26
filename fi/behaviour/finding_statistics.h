#pragma once

#include <cstdint>
#include <vector>

#include "fi/behaviour/findings.h"
#include "fi/behaviour/prompt_measures.h"

namespace fi {

/// What a candidate's measures on some prompts say, without examples and correction. `measures` holds those prompts alone.
Finding measure_finding(const Candidate& candidate, const PromptMeasures& measures, uint64_t seed);

/// Indices into `pairs`: one pair of each prompt whose category is `chosen`, those with the largest difference in the finding's
/// direction first; answers that came to an end before cut ones. At most five.
std::vector<int64_t> clearest_examples(const Finding& finding, const PromptTable& table, const std::vector<bool>& chosen,
                                       const std::vector<AnswerPair>& pairs);

}  // namespace fi
