#include "fi/behaviour/second_look.h"

#include <algorithm>
#include <numeric>

#include "fi/behaviour/presence.h"
#include "fi/behaviour/prompt_measures.h"

namespace fi {
namespace {

void raise_by_detector(const PromptMeasures& measures, const PromptTable& table, double min_effect_size,
                       std::vector<double>& suspicion) {
  for (const double sign : {1.0, -1.0}) {
    const std::vector<bool> reached = categories_with_effect(measures, table, sign, min_effect_size);
    if (std::ranges::count(reached, true) == 0) continue;
    const double everywhere = one_sidedness(measures, sign);
    const std::vector<Presence> presences = presences_by_category(measures, table, sign);
    for (size_t c = 0; c < suspicion.size(); ++c) {
      if (reached[c]) suspicion[c] = std::max(suspicion[c], presences[c].surprise() + everywhere);
    }
  }
}

}  // namespace

std::vector<std::string> categories_to_look_at_again(const std::vector<AnswerPair>& discovery, const DetectorList& detectors,
                                                     double min_effect_size, int64_t count) {
  const PromptTable table = tabulate_prompts(discovery);
  std::vector<double> suspicion(table.categories.size());
  const std::vector<PromptMeasures> measures = measure_prompts(discovery, table, detectors);
  for (size_t d = 0; d < detectors.size(); ++d) {
    if (!detectors[d]->words().is_scalar) raise_by_detector(measures[d], table, min_effect_size, suspicion);
  }
  std::vector<size_t> order(suspicion.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, [&](size_t a, size_t b) { return suspicion[a] > suspicion[b]; });
  std::vector<std::string> chosen;
  for (const size_t c : order) {
    if (std::ssize(chosen) == count || suspicion[c] <= 0.0) break;
    chosen.push_back(table.categories[c]);
  }
  return chosen;
}

}  // namespace fi
