#pragma once

#include <cstdint>
#include <vector>

#include "fi/behaviour/detector.h"
#include "fi/behaviour/findings.h"

namespace fi {

/// Fewer prompts than this are not parted into discovery and confirmation: a quarter of them would see next to nothing.
inline constexpr int64_t kFewestPromptsToSplit = 40;

/// What all prompts together say when they are too few to set some aside.
struct FewPromptsSearch {
  int64_t num_hypotheses = 0;  // all that were counted in the correction
  /// Smallest q first: all of p <= 0.05 before the correction, and concepts of at least the effect size, which few prompts show
  /// and cannot confirm. Candidate and finding are the same data.
  std::vector<Finding> findings;
};

/// Tests every detector, and every phrase that comes in the answers to six prompts on one side only, over all prompts at once.
/// Nothing is chosen by looking at which model said it, so that swapping the two answers of a prompt makes an equally likely
/// sample if the models are alike: `q_value` is the chance that any difference looks as good, by all such swaps
/// (fi/core/label_swaps.h). Half of that chance is kept for concepts, half for numbers and phrases, which are many and say less.
/// No difference of a single category is looked for. Five prompts or fewer cannot give a p-value of 0.05.
FewPromptsSearch search_few_prompts(const std::vector<AnswerPair>& pairs, const DetectorList& detectors,
                                    const ScreenOptions& options);

}  // namespace fi
