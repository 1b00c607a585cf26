#pragma once

#include <cstdint>
#include <string>

#include "fi/compare/options.h"

namespace fi {

/// How much a run looks at.
struct Budget {
  int64_t discovery = 4;                   // prompts of each category
  int64_t second_look = 6;                 // more discovery prompts of each of the most suspicious categories
  int64_t second_look_categories = 20;     // how many these are
  int64_t confirmation = 30;               // at most, of a category in which something shows
  int64_t max_confirmation_prompts = 300;  // over all categories
  int64_t max_new_tokens = 48;
  int64_t max_traced_texts = 96;   // read by both models for the layer map
  int64_t max_patched_texts = 12;  // of these, for layer patching
  int64_t shown_answers = 40;      // prompts whose answers the report shows; both models read both for token KL
  int64_t max_localised_claims = 3;
  int64_t sampled_prompts = 24;  // of each localised claim, answered again with sampling
  int64_t samples_of_prompt = 2;
  int64_t texts_per_transplant = 8;
  int64_t texts_per_causal_test = 16;  // of each of its three sets
  int64_t crosscoder_tokens = 64'000;  // read by both models for a crosscoder; 0: none is trained
  int64_t crosscoder_latents = 4096;
  int64_t crosscoder_k = 32;
  int64_t crosscoder_steps = 300;
  int64_t crosscoder_batch = 2048;  // rows a step
};

/// "quick", "standard" or "thorough"; for minutes see fi/compare/minutes_budget.h.
inline Budget budget_named(const std::string& name) {
  if (name == "quick") {
    return {.discovery = 3,
            .second_look_categories = 0,
            .confirmation = 24,
            .max_confirmation_prompts = 100,
            .max_new_tokens = 32,
            .max_traced_texts = 48,
            .max_patched_texts = 6,
            .shown_answers = 24,
            .max_localised_claims = 1,
            .sampled_prompts = 12,
            .texts_per_transplant = 6,
            .texts_per_causal_test = 8,
            .crosscoder_tokens = 0};
  }
  if (name == "thorough") {
    return {.discovery = 6,
            .second_look = 4,
            .second_look_categories = 30,
            .confirmation = 30,
            .max_confirmation_prompts = 1200,
            .max_new_tokens = 96,
            .max_traced_texts = 288,
            .max_patched_texts = 32,
            .shown_answers = 120,
            .max_localised_claims = 7,
            .sampled_prompts = 36,
            .samples_of_prompt = 4,
            .texts_per_transplant = 16,
            .texts_per_causal_test = 32,
            .crosscoder_tokens = 120'000,
            .crosscoder_latents = 8192,
            .crosscoder_steps = 1000,
            .crosscoder_batch = 2048};
  }
  return {};
}

/// What `options.budget` says, with what the other options override. Minutes that were not fitted yet count as standard. Whoever
/// names layers, tokens or texts for a crosscoder gets one on any budget.
Budget budget_of(const CompareOptions& options);

}  // namespace fi
