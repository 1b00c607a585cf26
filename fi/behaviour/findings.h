#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fi/behaviour/detector.h"
#include "fi/capture/answer_pair.h"
#include "fi/core/json.h"

namespace fi {

/// A difference that discovery prompts suggest: one detector on one set of categories.
struct Candidate {
  std::shared_ptr<const Detector> detector;
  std::vector<std::string> categories;  // the smallest set that explains it; all categories if it shows everywhere
  double base = 0.0;                    // mean measure over the discovery prompts of these categories
  double target = 0.0;
  double effect_size = 0.0;  // Cliff's delta on discovery prompts, target over base, -1..1
};

/// What discovery tried and what it chose.
struct Screening {
  int64_t num_hypotheses = 0;         // every (detector or phrase) x category that was compared
  std::vector<Candidate> candidates;  // strongest first
};

struct ScreenOptions {
  double min_effect_size = 0.3;  // --feature-threshold
  int64_t max_candidates = 48;
  uint64_t seed = 0;
};

/// Compares both models' answers on discovery pairs with every detector and with contrastive n-grams (log-odds with an
/// informative Dirichlet prior; Monroe, Colaresi and Quinn, 2008).
Screening screen(const std::vector<AnswerPair>& discovery, const DetectorList& detectors, const ScreenOptions& options);

/// A candidate, measured on confirmation prompts only.
struct Finding {
  Candidate candidate;
  double base = 0.0;  // mean measure over confirmation prompts of the categories
  double target = 0.0;
  double ci_low = 0.0;  // 95% bootstrap interval of target - base, clustered by prompt
  double ci_high = 0.0;
  double p_value = 1.0;      // paired sign-flip permutation test, two-sided
  double q_value = 1.0;      // weighted Benjamini-Hochberg over all that was tried, half of the weight on the candidates
  double effect_size = 0.0;  // Cliff's delta
  int64_t num_prompts = 0;
  double base_elsewhere = 0.0;  // mean measure on discovery prompts of all other categories
  double target_elsewhere = 0.0;
  std::vector<int64_t> examples;  // indices into `confirmation` of the clearest prompts, at most 5
};

/// One finding per candidate, in the candidates' order.
std::vector<Finding> confirm(const Screening& screening, const std::vector<AnswerPair>& discovery,
                             const std::vector<AnswerPair>& confirmation, uint64_t seed);

Json to_json(const Finding& finding);

}  // namespace fi
