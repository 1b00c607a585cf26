#include <algorithm>
#include <cmath>
#include <map>

#include "fi/behaviour/findings.h"
#include "fi/behaviour/proposals.h"
#include "fi/core/error.h"

namespace fi {
namespace {

// Places are shared out, so that a change of every answer, which moves most measures at once, leaves room for narrow ones.
constexpr int64_t kPhraseDivisor = 3;
constexpr int64_t kScalarDivisor = 3;
constexpr double kEverywherePlaces = 2.0 / 3.0;
// Hunches make every other candidate's correction harder, so few are taken, and not all of one category.
constexpr int64_t kMostHunches = 10;
constexpr int64_t kMostHunchesOfCategory = 2;

bool comes_before(const ScoredCandidate& a, const ScoredCandidate& b) {
  return a.is_hunch != b.is_hunch ? !a.is_hunch : a.score > b.score;
}

std::vector<Candidate> share_places(std::vector<ScoredCandidate> scored, int64_t max_candidates) {
  std::stable_sort(scored.begin(), scored.end(), comes_before);
  const int64_t most_scalars = std::max<int64_t>(1, max_candidates / kScalarDivisor);
  const auto most_everywhere = std::max<int64_t>(1, std::llround(static_cast<double>(max_candidates) * kEverywherePlaces));
  int64_t num_scalars = 0;
  int64_t num_everywhere = 0;
  int64_t num_hunches = 0;
  std::map<std::string, int64_t> hunches_of;
  std::vector<Candidate> chosen;
  for (ScoredCandidate& entry : scored) {
    if (static_cast<int64_t>(chosen.size()) >= max_candidates) break;
    const bool is_scalar = entry.candidate.detector->words().is_scalar;
    if (is_scalar && num_scalars >= most_scalars) continue;
    if (entry.is_everywhere && num_everywhere >= most_everywhere) continue;
    if (entry.is_hunch) {
      int64_t& of_category = hunches_of[entry.candidate.categories.front()];
      if (num_hunches >= kMostHunches || of_category >= kMostHunchesOfCategory) continue;
      ++num_hunches;
      ++of_category;
    }
    num_scalars += is_scalar ? 1 : 0;
    num_everywhere += entry.is_everywhere ? 1 : 0;
    chosen.push_back(std::move(entry.candidate));
  }
  return chosen;
}

}  // namespace

Screening screen(const std::vector<AnswerPair>& discovery, const DetectorList& detectors, const ScreenOptions& options) {
  check(options.min_effect_size >= 0.0 && options.min_effect_size <= 1.0, ErrorCode::kUsage,
        "[behaviour] the feature threshold is {}, expected 0 to 1.", options.min_effect_size);
  const PromptTable table = tabulate_prompts(discovery);
  Screening screening;
  if (table.num_prompts() == 0 || options.max_candidates <= 0) return screening;
  const auto num_categories = static_cast<int64_t>(table.categories.size());
  std::vector<ScoredCandidate> scored;
  const std::vector<PromptMeasures> measures = measure_prompts(discovery, table, detectors);
  for (size_t d = 0; d < detectors.size(); ++d) {
    screening.num_hypotheses += num_categories + 1;
    for (const Proposal& proposal : propose(measures[d], table, detectors[d]->words().is_scalar, options.min_effect_size)) {
      scored.push_back(make_candidate(detectors[d], proposal, table));
    }
  }
  const auto max_phrases = static_cast<size_t>(std::max<int64_t>(1, options.max_candidates / kPhraseDivisor));
  PhraseScreening phrases = screen_phrases(discovery, table, options.min_effect_size, max_phrases);
  screening.num_hypotheses += phrases.num_hypotheses;
  std::move(phrases.candidates.begin(), phrases.candidates.end(), std::back_inserter(scored));
  screening.candidates = share_places(std::move(scored), options.max_candidates);
  return screening;
}

}  // namespace fi
