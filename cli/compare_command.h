#pragma once

#include "cli/command.h"
#include "fi/compare/options.h"

namespace fi {

/// Runs a comparison and prints where its report is; `dry_run` prints the plan instead.
void run_comparison(const CompareOptions& options, bool dry_run, const Globals& globals, ProgressSink& progress);

}  // namespace fi
