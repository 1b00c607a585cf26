#pragma once

#include <cstdint>
#include <vector>

#include "fi/behaviour/detector.h"
#include "fi/capture/answer_pair.h"
#include "fi/compare/analysis.h"
#include "fi/core/progress.h"

namespace fi {

/// How often the analysis claimed what cannot be there.
struct FalseClaims {
  int64_t num_trials = 0;
  int64_t num_with_claim = 0;  // trials with at least one claim
  int64_t num_claims = 0;      // over all trials

  /// 95% interval of the share of trials with a claim (Wilson, 1927).
  Interval interval() const;
};

/// Analyses stored answers again and again with the labels "base" and "target" exchanged for a random half of the prompts, all
/// answers to one prompt together. If nothing but the labels told the models apart, no claim would be true: what is claimed
/// measures the false-claim rate of search, tests and correction together, on these very texts. Runs no model.
FalseClaims shuffle_labels(const std::vector<AnswerPair>& pairs, const DetectorList& detectors, const AnalysisOptions& options,
                           int64_t num_shuffles, ProgressSink& progress);

}  // namespace fi
