#include "fi/behaviour/finding_statistics.h"

#include <algorithm>
#include <numeric>

#include "fi/core/statistics.h"

namespace fi {
namespace {

constexpr size_t kMaxExamples = 5;

struct Example {
  size_t pair = 0;
  double gain = 0.0;  // in the direction of the effect
  bool finished = true;
};

}  // namespace

std::vector<int64_t> clearest_examples(const Finding& finding, const PromptTable& table, const std::vector<bool>& chosen,
                                       const std::vector<AnswerPair>& pairs) {
  const double sign = finding.target >= finding.base ? 1.0 : -1.0;
  const Detector& detector = *finding.candidate.detector;
  std::vector<Example> examples;
  for (size_t prompt = 0; prompt < table.num_prompts(); ++prompt) {
    if (!chosen[table.category_of[prompt]]) continue;
    Example best{.gain = -1.0};
    for (const size_t i : table.pairs_of[prompt]) {
      const double gain =
          sign * (detector.measure(pairs[i].prompt, pairs[i].target) - detector.measure(pairs[i].prompt, pairs[i].base));
      if (gain > best.gain) best = {i, gain, pairs[i].base_finished && pairs[i].target_finished};
    }
    if (best.gain > 0.0) examples.push_back(best);
  }
  std::stable_sort(examples.begin(), examples.end(), [](const Example& a, const Example& b) {
    return a.gain != b.gain ? a.gain > b.gain : a.finished && !b.finished;
  });
  examples.resize(std::min(examples.size(), kMaxExamples));
  std::vector<int64_t> indices;
  for (const Example& example : examples) indices.push_back(static_cast<int64_t>(example.pair));
  return indices;
}

Finding measure_finding(const Candidate& candidate, const PromptMeasures& measures, uint64_t seed) {
  Finding finding{.candidate = candidate};
  const std::vector<double> differences = measures.differences();
  std::vector<int64_t> cluster(differences.size());
  std::iota(cluster.begin(), cluster.end(), int64_t{0});
  const Interval interval = bootstrap_mean(differences, cluster, seed);
  finding.base = mean(measures.base);
  finding.target = mean(measures.target);
  finding.ci_low = interval.low;
  finding.ci_high = interval.high;
  finding.p_value = sign_flip_p_value(differences, seed);
  finding.effect_size = cliffs_delta(measures.base, measures.target);
  finding.num_prompts = static_cast<int64_t>(differences.size());
  return finding;
}

}  // namespace fi
