#pragma once

#include <cstdint>
#include <string>

namespace fi {

/// How much a run looks at. Counts are prompts per category.
struct Budget {
  int64_t discovery = 4;
  int64_t confirmation = 14;
  int64_t max_confirmed_categories = 16;
  int64_t max_new_tokens = 48;
  int64_t max_traced_texts = 96;  // read by both models for the layer map
  int64_t max_localised_claims = 3;
  int64_t texts_per_localisation = 8;
};

/// "quick", "standard" or "thorough".
inline Budget budget_named(const std::string& name) {
  if (name == "quick") {
    return {.discovery = 3,
            .confirmation = 8,
            .max_confirmed_categories = 8,
            .max_new_tokens = 32,
            .max_traced_texts = 48,
            .max_localised_claims = 1};
  }
  if (name == "thorough") {
    return {.discovery = 6,
            .confirmation = 18,
            .max_confirmed_categories = 48,
            .max_new_tokens = 96,
            .max_traced_texts = 288,
            .max_localised_claims = 7,
            .texts_per_localisation = 16};
  }
  return {};
}

}  // namespace fi
