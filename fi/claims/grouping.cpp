#include "fi/claims/grouping.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace fi {
namespace {

// Categories shared by two findings over all categories of either, above which they are one change.
constexpr double kSameTriggerJaccard = 0.34;

using CategoryNames = std::set<std::string>;

CategoryNames names_of(const Finding& finding) {
  return {finding.candidate.categories.begin(), finding.candidate.categories.end()};
}

size_t num_shared(const CategoryNames& a, const CategoryNames& b) {
  return static_cast<size_t>(std::count_if(a.begin(), a.end(), [&](const std::string& name) { return b.contains(name); }));
}

bool same_trigger(const CategoryNames& primary, const CategoryNames& other) {
  const size_t shared = num_shared(primary, other);
  const size_t all = primary.size() + other.size() - shared;
  return shared == other.size() || static_cast<double>(shared) >= kSameTriggerJaccard * static_cast<double>(all);
}

// What an answer does names a change better than what it is about, and that better than how it looks; a phrase only quotes the
// change, a number only measures it.
double naming_weight(const Detector::Words& words) {
  static const std::map<std::string, double> weights = {{"reasoning", 1.0}, {"refusal", 1.0},     {"language", 1.0},
                                                        {"code", 1.0},      {"correctness", 1.0}, {"format", 0.6},
                                                        {"style", 0.6},     {"length", 0.4},      {"phrase", 0.5}};
  if (words.is_scalar) return 0.4;
  const auto found = weights.find(words.group);
  return found == weights.end() ? 0.8 : found->second;
}

double selectivity(const Finding& finding) {
  const Candidate& candidate = finding.candidate;
  return std::abs(candidate.target - candidate.base) - std::abs(finding.target_elsewhere - finding.base_elsewhere);
}

// How well a finding stands for its group: large, on all of the group's prompts and only there. By what discovery saw alone, so
// that the confirmation effect of the chosen one stays an unbiased estimate.
double naming_score(const Finding& finding) {
  const Detector::Words& words = finding.candidate.detector->words();
  const double size = words.is_scalar ? std::abs(finding.candidate.effect_size) : std::max(0.0, selectivity(finding));
  return naming_weight(words) * size * std::sqrt(static_cast<double>(finding.candidate.categories.size()));
}

// Presence beats a measured number of equal effect: nearly any change of wording moves some length.
double strength(const Finding& finding) {
  const double weight = finding.candidate.detector->words().is_scalar ? 0.7 : 1.0;
  return weight * std::abs(finding.effect_size) * (1.0 - finding.q_value) * std::sqrt(static_cast<double>(finding.num_prompts));
}

}  // namespace

bool holds(const Finding& finding, const ClaimOptions& options) {
  const bool same_direction = finding.effect_size * finding.candidate.effect_size > 0.0;
  const bool interval_leaves_zero_out = finding.ci_low > 0.0 || finding.ci_high < 0.0;
  return finding.q_value <= options.q_level && std::abs(finding.effect_size) >= options.min_effect_size && same_direction &&
         interval_leaves_zero_out;
}

std::vector<FindingGroup> group_findings(const std::vector<Finding>& findings, const ClaimOptions& options) {
  std::vector<size_t> order;
  for (size_t i = 0; i < findings.size(); ++i) {
    if (holds(findings[i], options)) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return strength(findings[a]) > strength(findings[b]); });

  std::vector<std::vector<size_t>> members;
  for (const size_t i : order) {
    const auto home = std::find_if(members.begin(), members.end(), [&](const std::vector<size_t>& group) {
      return same_trigger(names_of(findings[group.front()]), names_of(findings[i]));
    });
    if (home == members.end()) {
      members.push_back({i});
    } else {
      home->push_back(i);
    }
  }

  std::vector<FindingGroup> groups;
  for (std::vector<size_t>& group : members) {
    const auto best = std::max_element(group.begin(), group.end(),
                                       [&](size_t a, size_t b) { return naming_score(findings[a]) < naming_score(findings[b]); });
    FindingGroup result{.primary = *best};
    group.erase(best);
    result.supporting = std::move(group);
    groups.push_back(std::move(result));
  }
  return groups;
}

}  // namespace fi
