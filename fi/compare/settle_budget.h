#pragma once

#include <filesystem>

#include "fi/compare/options.h"
#include "fi/core/progress.h"

namespace fi {

/// The options with a budget of minutes fitted to models and machine (fi/compare/plan.h). Where a run of the same minutes is to
/// be gone on with, or its activations reused, it is the budget which that run had: another measurement of the machine must not
/// change what is asked. `activations` is the folder of that stage.
CompareOptions settle_budget(CompareOptions options, const std::filesystem::path& activations, ProgressSink& progress);

}  // namespace fi
