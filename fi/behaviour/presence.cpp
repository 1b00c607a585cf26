#include "fi/behaviour/presence.h"

#include <cmath>
#include <numeric>

#include "fi/core/statistics.h"

namespace fi {
namespace {

double log_or_zero(double count, double rate) { return count > 0.0 ? count * std::log(rate) : 0.0; }

double total(const std::vector<double>& values) { return std::accumulate(values.begin(), values.end(), 0.0); }

}  // namespace

double Presence::surprise() const {
  const double own = count / num_prompts;
  const double expected = (count_elsewhere + 0.5) / (num_elsewhere + 1.0);
  if (own <= expected) return 0.0;
  return log_or_zero(count, own / expected) + log_or_zero(num_prompts - count, (1.0 - own) / (1.0 - expected));
}

std::vector<Presence> presences_by_category(const PromptMeasures& measures, const PromptTable& table, double sign) {
  const std::vector<double>& model = sign > 0.0 ? measures.target : measures.base;
  std::vector<Presence> presences(table.categories.size());
  for (size_t prompt = 0; prompt < table.num_prompts(); ++prompt) {
    Presence& presence = presences[table.category_of[prompt]];
    presence.count += model[prompt];
    presence.num_prompts += 1.0;
  }
  const double all = total(measures.base) + total(measures.target);
  for (Presence& presence : presences) {
    presence.count_elsewhere = all - presence.count;
    presence.num_elsewhere = 2.0 * static_cast<double>(table.num_prompts()) - presence.num_prompts;
  }
  return presences;
}

double one_sidedness(const PromptMeasures& measures, double sign) {
  const std::vector<double> differences = measures.differences();
  if (sign * total(differences) <= 0.0) return 0.0;
  return -std::log(sign_flip_p_value(differences, /*seed=*/0));
}

std::vector<bool> categories_with_effect(const PromptMeasures& measures, const PromptTable& table, double sign,
                                         double min_effect_size) {
  std::vector<PromptMeasures> parts(table.categories.size());
  for (size_t prompt = 0; prompt < table.num_prompts(); ++prompt) {
    parts[table.category_of[prompt]].base.push_back(measures.base[prompt]);
    parts[table.category_of[prompt]].target.push_back(measures.target[prompt]);
  }
  std::vector<bool> reached;
  for (const PromptMeasures& part : parts) {
    const double effect = sign * cliffs_delta(part.base, part.target);
    reached.push_back(effect > 0.0 && effect >= min_effect_size - 1e-9);
  }
  return reached;
}

}  // namespace fi
