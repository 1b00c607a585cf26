#include "fi/compare/label_shuffles.h"

#include <cmath>
#include <map>
#include <string>
#include <utility>

#include "fi/claims/grouping.h"
#include "fi/core/random.h"

namespace fi {
namespace {

constexpr double kZ95 = 1.959963984540054;

void exchange(AnswerPair& pair) {
  std::swap(pair.base, pair.target);
  std::swap(pair.base_finished, pair.target_finished);
  std::swap(pair.base_tokens, pair.target_tokens);
}

std::vector<AnswerPair> shuffled(std::vector<AnswerPair> pairs, Random& random) {
  std::map<std::pair<std::string, int64_t>, bool> exchanged;
  for (AnswerPair& pair : pairs) {
    const auto [entry, is_new] = exchanged.emplace(std::pair(pair.category, pair.prompt_index), false);
    if (is_new) entry->second = random.below(2) == 1;
    if (entry->second) exchange(pair);
  }
  return pairs;
}

}  // namespace

Interval FalseClaims::interval() const {
  const auto n = static_cast<double>(num_trials);
  if (n == 0.0) return {0.0, 1.0};
  const double rate = static_cast<double>(num_with_claim) / n, z2 = kZ95 * kZ95;
  const double centre = (rate + z2 / (2.0 * n)) / (1.0 + z2 / n);
  const double half = kZ95 / (1.0 + z2 / n) * std::sqrt(rate * (1.0 - rate) / n + z2 / (4.0 * n * n));
  return {num_with_claim == 0 ? 0.0 : centre - half, num_with_claim == num_trials ? 1.0 : centre + half};
}

FalseClaims shuffle_labels(const std::vector<AnswerPair>& pairs, const DetectorList& detectors, const AnalysisOptions& options,
                           int64_t num_shuffles, ProgressSink& sink) {
  StageProgress progress(sink, "label shuffles", num_shuffles, "shuffles");
  Random random(static_cast<uint64_t>(options.seed), stream_of("label shuffles"));
  FalseClaims result;
  for (; result.num_trials < num_shuffles; ++result.num_trials) {
    check_interrupt();
    const Analysis analysis = analyse(shuffled(pairs, random), detectors, options);
    const auto num_claims =
        static_cast<int64_t>(group_findings(analysis.findings, {.min_effect_size = options.threshold}).size());
    result.num_claims += num_claims;
    result.num_with_claim += num_claims > 0 ? 1 : 0;
    progress.advance(1);
  }
  return result;
}

}  // namespace fi
