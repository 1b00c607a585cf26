#include "fi/behaviour/proposals.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "fi/behaviour/category_set.h"
#include "fi/behaviour/presence.h"
#include "fi/core/statistics.h"

namespace fi {
namespace {

constexpr double kEverywhereShare = 0.6;
constexpr double kFewestOfHunch = 2.0;    // prompts
constexpr size_t kHunchesOfDetector = 3;  // in each direction

// Mid-ranks over both models' answers, in 0..1: a length in words and a share in percent are judged alike.
PromptMeasures ranked(const PromptMeasures& measures) {
  std::vector<double> sorted = measures.base;
  sorted.insert(sorted.end(), measures.target.begin(), measures.target.end());
  std::sort(sorted.begin(), sorted.end());
  const auto rank = [&](double value) {
    const auto [low, high] = std::equal_range(sorted.begin(), sorted.end(), value);
    return 0.5 * static_cast<double>((low - sorted.begin()) + (high - sorted.begin())) / static_cast<double>(sorted.size());
  };
  PromptMeasures result = measures;
  std::transform(result.base.begin(), result.base.end(), result.base.begin(), rank);
  std::transform(result.target.begin(), result.target.end(), result.target.begin(), rank);
  return result;
}

// The categories in which one model's presences are most surprising, given how rarely they come anywhere else, each a hunch of
// its own: a change of a part of one category would drown in a test of several. Topics surprise as much as changes do: hunches
// are ranked by how one-sided the difference is over all prompts.
std::vector<Proposal> best_hunches(const PromptMeasures& measures, const PromptTable& table, const std::vector<bool>& eligible,
                                   double sign) {
  const std::vector<Presence> presences = presences_by_category(measures, table, sign);
  // Few categories reach it by chance in a detector's search.
  const double bar = std::log(static_cast<double>(eligible.size()));
  std::vector<std::pair<double, size_t>> surprising;
  for (size_t c = 0; c < eligible.size(); ++c) {
    const double surprise = presences[c].surprise();
    if (eligible[c] && presences[c].count >= kFewestOfHunch && surprise > bar) surprising.emplace_back(-surprise, c);
  }
  std::ranges::sort(surprising);
  if (surprising.size() > kHunchesOfDetector) surprising.resize(kHunchesOfDetector);
  std::vector<Proposal> hunches;
  for (const auto& [negative, c] : surprising) {
    std::vector<bool> set(eligible.size());
    set[c] = true;
    Proposal proposal = describe_proposal(measures, table, std::move(set));
    proposal.is_hunch = true;
    proposal.score = one_sidedness(measures, sign);
    hunches.push_back(std::move(proposal));
  }
  return hunches;
}

bool is_nearly_all(const std::vector<bool>& categories) {
  const auto size = static_cast<double>(std::count(categories.begin(), categories.end(), true));
  return size > kEverywhereShare * static_cast<double>(categories.size());
}

}  // namespace

Proposal describe_proposal(const PromptMeasures& measures, const PromptTable& table, std::vector<bool> categories) {
  const PromptMeasures chosen = measures.only(table, categories);
  Proposal proposal{.num_prompts = static_cast<int64_t>(chosen.base.size()),
                    .base = mean(chosen.base),
                    .target = mean(chosen.target),
                    .effect_size = cliffs_delta(chosen.base, chosen.target)};
  proposal.is_everywhere = std::count(categories.begin(), categories.end(), false) == 0 && categories.size() > 1;
  proposal.score = std::abs(proposal.effect_size) * std::sqrt(static_cast<double>(proposal.num_prompts));
  proposal.categories = std::move(categories);
  return proposal;
}

std::vector<Proposal> propose(const PromptMeasures& measures, const PromptTable& table, bool is_scalar, double min_effect_size) {
  const std::vector<double> differences = is_scalar ? ranked(measures).differences() : measures.differences();
  const double threshold = min_effect_size - 1e-9;
  std::vector<Proposal> proposals;
  for (const double sign : {1.0, -1.0}) {
    const std::vector<bool> eligible = categories_with_effect(measures, table, sign, min_effect_size);
    if (std::count(eligible.begin(), eligible.end(), true) == 0) continue;
    const auto set = explain_by_categories({.differences = differences, .category_of = table.category_of, .eligible = eligible});
    if (!set) {
      if (is_scalar) continue;
      for (Proposal& hunch : best_hunches(measures, table, eligible, sign)) proposals.push_back(std::move(hunch));
      continue;
    }
    Proposal proposal = describe_proposal(measures, table, *set);
    if (is_nearly_all(*set)) {
      Proposal everywhere = describe_proposal(measures, table, std::vector<bool>(set->size(), true));
      if (sign * everywhere.effect_size >= threshold) proposal = std::move(everywhere);
    }
    if (sign * proposal.effect_size >= threshold) proposals.push_back(std::move(proposal));
  }
  return proposals;
}

ScoredCandidate make_candidate(std::shared_ptr<const Detector> detector, const Proposal& proposal, const PromptTable& table) {
  ScoredCandidate scored{.score = proposal.score, .is_everywhere = proposal.is_everywhere, .is_hunch = proposal.is_hunch};
  scored.candidate = {
      .detector = std::move(detector), .base = proposal.base, .target = proposal.target, .effect_size = proposal.effect_size};
  for (size_t c = 0; c < table.categories.size(); ++c) {
    if (proposal.categories[c]) scored.candidate.categories.push_back(table.categories[c]);
  }
  return scored;
}

}  // namespace fi
