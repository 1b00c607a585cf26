#include "fi/behaviour/category_set.h"

#include <algorithm>
#include <cmath>

namespace fi {
namespace {

constexpr double kSharedWeight = 6.0;  // prompts' worth of the variance of all categories, against each category's own
constexpr double kSmallestVariance = 0.02;
constexpr int kMaxRounds = 20;

struct CategoryStatistics {
  double num_prompts = 0.0;
  double sum = 0.0;
  double variance = 0.0;  // second moment about 0: signs are exchangeable under the null
};

using Set = std::vector<bool>;

std::vector<CategoryStatistics> summarise(const CategoryEvidence& evidence) {
  std::vector<CategoryStatistics> categories(evidence.eligible.size());
  double all_squares = 0.0;
  for (size_t i = 0; i < evidence.differences.size(); ++i) {
    const double x = evidence.differences[i];
    CategoryStatistics& category = categories[evidence.category_of[i]];
    category.num_prompts += 1.0;
    category.sum += x;
    category.variance += x * x;
    all_squares += x * x;
  }
  const double shared = all_squares / std::max<double>(1.0, static_cast<double>(evidence.differences.size()));
  for (CategoryStatistics& category : categories) {
    const double mixed = (kSharedWeight * shared + category.variance) / (kSharedWeight + category.num_prompts);
    category.variance = std::max(mixed, kSmallestVariance);
  }
  return categories;
}

class TwoGroups {
 public:
  TwoGroups(std::vector<CategoryStatistics> categories, const Set& eligible)
      : categories_(std::move(categories)), eligible_(eligible) {}

  Set grow(Set set) const {
    for (int round = 0; round < kMaxRounds; ++round) {
      const double effect = common_effect(set);
      const double odds = log_odds(set);
      Set next(set.size());
      for (size_t c = 0; c < set.size(); ++c) next[c] = eligible_[c] && log_ratio(c, effect) + odds > 0.0;
      if (next == set) break;
      set = std::move(next);
    }
    return set;
  }

  // Sum of what speaks for the members against being chance; the set holds if positive.
  double support(const Set& set) const {
    double total = 0.0;
    for (size_t c = 0; c < set.size(); ++c) {
      if (set[c]) total += log_ratio(c, common_effect(set)) + log_odds(set);
    }
    return total;
  }

  double log_likelihood(const Set& set) const {
    const double share = active_share(set);
    const double effect = common_effect(set);
    double total = 0.0;
    for (size_t c = 0; c < set.size(); ++c) total += set[c] ? log_ratio(c, effect) + std::log(share) : std::log1p(-share);
    return total;
  }

  Set strongest() const {
    size_t best = eligible_.size();
    double best_ratio = 0.0;
    for (size_t c = 0; c < eligible_.size(); ++c) {
      const double own = eligible_[c] ? log_ratio(c, categories_[c].sum / categories_[c].num_prompts) : 0.0;
      if (own > best_ratio) {
        best_ratio = own;
        best = c;
      }
    }
    Set set(eligible_.size());
    if (best < set.size()) set[best] = true;
    return set;
  }

 private:
  double common_effect(const Set& set) const {
    double sum = 0.0;
    double count = 0.0;
    for (size_t c = 0; c < set.size(); ++c) {
      if (!set[c]) continue;
      sum += categories_[c].sum;
      count += categories_[c].num_prompts;
    }
    return count > 0.0 ? sum / count : 0.0;
  }

  double active_share(const Set& set) const {
    const auto size = static_cast<double>(std::count(set.begin(), set.end(), true));
    return (size + 0.5) / (static_cast<double>(set.size()) + 1.0);
  }

  double log_odds(const Set& set) const {
    const double share = active_share(set);
    return std::log(share / (1.0 - share));
  }

  // Log-likelihood of category c's differences with the mean `effect`, over that with mean 0.
  double log_ratio(size_t c, double effect) const {
    const CategoryStatistics& category = categories_[c];
    return (effect * category.sum - category.num_prompts * effect * effect / 2.0) / category.variance;
  }

  std::vector<CategoryStatistics> categories_;
  const Set& eligible_;
};

}  // namespace

std::optional<std::vector<bool>> explain_by_categories(const CategoryEvidence& evidence) {
  const TwoGroups model(summarise(evidence), evidence.eligible);
  std::optional<Set> best;
  for (const Set& start : {model.strongest(), evidence.eligible}) {
    if (std::count(start.begin(), start.end(), true) == 0) continue;
    Set grown = model.grow(start);
    if (std::count(grown.begin(), grown.end(), true) == 0 || model.support(grown) <= 0.0) continue;
    if (!best || model.log_likelihood(grown) > model.log_likelihood(*best)) best = std::move(grown);
  }
  return best;
}

}  // namespace fi
