#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "fi/claims/report_data.h"

namespace fi {

/// One run among several that are laid side by side: checkpoints of a training run, several adapters of one base.
struct ComparedRun {
  std::string name;  // the run folder's own name
  Report report;
};

/// Reads `reports/report.json` (or `features/features.json`, which holds the same) of each run folder. kNotFound names a folder
/// without one; kInvalid one whose base differs from the first run's, because a table of targets needs one base.
std::vector<ComparedRun> read_runs(const std::vector<std::filesystem::path>& folders);

/// What the table says of one run.
struct RunRow {
  std::string name, target, relation, verdict;
  std::string claims;     // "3: 1 verified, 2 suggestive"
  std::string strongest;  // the first claim's sentence
  std::string effect;     // its change
  std::string layer;      // where the relative difference is largest: "18 (0.42)"
};

/// A capability that any of the runs changed, with its strongest effect (Cliff's delta) in each; NaN where a run has no such row.
struct CapabilityRow {
  std::string title;
  std::vector<double> effects;  // [num_runs]
};

std::vector<RunRow> run_rows(const std::vector<ComparedRun>& runs);

/// Largest effect in any run first.
std::vector<CapabilityRow> capability_rows(const std::vector<ComparedRun>& runs);

std::string comparison_markdown(const std::vector<ComparedRun>& runs);
std::string comparison_html(const std::vector<ComparedRun>& runs);
/// One row a run.
std::string comparison_csv(const std::vector<ComparedRun>& runs);

/// Writes comparison.html, comparison.md and comparison.csv into `folder`, which is created. Returns their paths.
std::vector<std::filesystem::path> write_comparison(const std::vector<ComparedRun>& runs, const std::filesystem::path& folder);

}  // namespace fi
