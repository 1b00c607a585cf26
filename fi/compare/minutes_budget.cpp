#include "fi/compare/minutes_budget.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace fi {
namespace {

constexpr double kMostMinutes = 10'000.0;
constexpr double kLevelSteps = 100.0;  // of one level

// A decimal number and nothing else.
std::optional<double> number_from(std::string_view text) {
  double value = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

const Budget& named_at(int level) {
  static const Budget glimpse = {.discovery = 2,
                                 .second_look = 6,
                                 .second_look_categories = 0,
                                 .confirmation = 12,
                                 .max_confirmation_prompts = 36,
                                 .max_new_tokens = 16,
                                 .max_traced_texts = 16,
                                 .max_patched_texts = 2,
                                 .shown_answers = 12,
                                 .max_localised_claims = 1,
                                 .sampled_prompts = 6,
                                 .texts_per_transplant = 4,
                                 .texts_per_causal_test = 6,
                                 .crosscoder_tokens = 0};
  static const Budget quick = budget_named("quick"), standard = budget_named("standard"), thorough = budget_named("thorough");
  static const Budget* const named[] = {&glimpse, &quick, &standard, &thorough};
  return *named[level + 1];
}

}  // namespace

std::optional<MinutesBudget> minutes_budget_from(const std::string& text) {
  const size_t at = text.find('@');
  const auto minutes = number_from(std::string_view(text).substr(0, at));
  if (!minutes || !(*minutes > 0.0) || *minutes > kMostMinutes) return std::nullopt;
  if (at == std::string::npos) return MinutesBudget{.minutes = *minutes};
  const auto level = number_from(std::string_view(text).substr(at + 1));
  if (!level || !(*level >= kSmallestLevel) || *level > kLargestLevel) return std::nullopt;
  return MinutesBudget{.minutes = *minutes, .level = level};
}

bool is_budget(const std::string& text) {
  return text == "quick" || text == "standard" || text == "thorough" || minutes_budget_from(text).has_value();
}

std::string to_text(const MinutesBudget& budget) {
  std::array<char, 512> digits;  // a double without an exponent has fewer
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), budget.minutes, std::chars_format::fixed).ptr;
  const std::string minutes(digits.data(), end);
  return budget.level ? fmt::format("{}@{:.2f}", minutes, *budget.level) : minutes;
}

Budget budget_at(double level) {
  const double clamped = std::clamp(level, kSmallestLevel, kLargestLevel);
  const int lower = std::min(static_cast<int>(std::floor(clamped)), static_cast<int>(kLargestLevel) - 1);
  const Budget &from = named_at(lower), &to = named_at(lower + 1);
  const double share = clamped - lower;
  const auto between = [&](int64_t Budget::*number) {
    return from.*number + std::llround(share * static_cast<double>(to.*number - from.*number));
  };
  Budget budget;
  for (int64_t Budget::*number :
       {&Budget::discovery, &Budget::second_look_categories, &Budget::confirmation, &Budget::max_confirmation_prompts,
        &Budget::max_new_tokens, &Budget::shown_answers, &Budget::max_traced_texts, &Budget::max_patched_texts,
        &Budget::max_localised_claims, &Budget::sampled_prompts, &Budget::samples_of_prompt, &Budget::texts_per_transplant,
        &Budget::texts_per_causal_test, &Budget::crosscoder_tokens, &Budget::crosscoder_latents, &Budget::crosscoder_k,
        &Budget::crosscoder_steps, &Budget::crosscoder_batch})
    budget.*number = between(number);
  // The two looks at a category together grow; the second is what the first leaves.
  const double looks = (1.0 - share) * static_cast<double>(from.discovery + from.second_look) +
                       share * static_cast<double>(to.discovery + to.second_look);
  budget.second_look = std::llround(looks) - budget.discovery;
  if (clamped < 1.0) budget.crosscoder_tokens = 0;
  return budget;
}

double largest_level_within(double seconds, const std::function<double(double)>& seconds_of) {
  auto low = static_cast<int64_t>(kSmallestLevel * kLevelSteps), high = static_cast<int64_t>(kLargestLevel * kLevelSteps);
  while (low < high) {
    const int64_t middle = low + (high - low + 1) / 2;
    if (seconds_of(static_cast<double>(middle) / kLevelSteps) <= seconds) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return static_cast<double>(low) / kLevelSteps;
}

Budget budget_of(const CompareOptions& options) {
  const auto minutes = minutes_budget_from(options.budget);
  Budget budget = minutes && minutes->level ? budget_at(*minutes->level) : budget_named(options.budget);
  if (options.max_new_tokens > 0) budget.max_new_tokens = options.max_new_tokens;
  const bool wants_crosscoder = !options.layers.empty() || !options.texts.empty();
  if (budget.crosscoder_tokens == 0 && wants_crosscoder) budget.crosscoder_tokens = Budget().crosscoder_tokens;
  if (options.tokens >= 0) budget.crosscoder_tokens = options.tokens;
  if (options.num_latents > 0) budget.crosscoder_latents = options.num_latents;
  if (options.k > 0) budget.crosscoder_k = options.k;
  return budget;
}

}  // namespace fi
