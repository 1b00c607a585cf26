#pragma once

#include <cstddef>
#include <vector>

#include "fi/behaviour/findings.h"

namespace fi {

struct ClaimOptions {
  double min_effect_size = 0.3;  // --feature-threshold
  double q_level = 0.05;
};

/// True if a finding held on confirmation prompts: q at most the level, the effect at least the threshold in the direction that
/// discovery saw, and an interval that leaves zero out.
bool holds(const Finding& finding, const ClaimOptions& options);

/// Findings that describe one change of behaviour: the primary one names it, the others support it.
struct FindingGroup {
  size_t primary = 0;              // indices into the findings
  std::vector<size_t> supporting;  // strongest first
};

/// Merges near-duplicates among the findings that hold. Two findings belong together when they show on mostly the same
/// categories, or one shows on a part of the other's. A concept of the library names a group before a bare phrase, a phrase
/// before a scalar. Groups come strongest first.
std::vector<FindingGroup> group_findings(const std::vector<Finding>& findings, const ClaimOptions& options);

}  // namespace fi
