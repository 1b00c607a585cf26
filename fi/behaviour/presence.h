#pragma once

#include <vector>

#include "fi/behaviour/prompt_measures.h"

namespace fi {

/// One model's presences of something in one category, and those in everything else: the other model there, both models
/// elsewhere.
struct Presence {
  double count = 0.0, num_prompts = 0.0;
  double count_elsewhere = 0.0, num_elsewhere = 0.0;

  /// Log-likelihood ratio of the category's own rate over the rate elsewhere; 0 where it is no higher.
  double surprise() const;
};

/// Of the target (sign > 0) or of the base, one per category of the table.
std::vector<Presence> presences_by_category(const PromptMeasures& measures, const PromptTable& table, double sign);

/// How hard it is to believe that both models show this equally often over all prompts: -log p of the paired sign test, 0 if the
/// difference does not point to `sign`. What differs only by category, as topics do, gets little from it.
double one_sidedness(const PromptMeasures& measures, double sign);

/// Per category, whether the effect (Cliff's delta) reaches the threshold in the direction of `sign`.
std::vector<bool> categories_with_effect(const PromptMeasures& measures, const PromptTable& table, double sign,
                                         double min_effect_size);

}  // namespace fi
