#pragma once

#include <filesystem>

#include "fi/compare/analysis.h"
#include "fi/compare/options.h"
#include "fi/core/json.h"
#include "fi/core/progress.h"

namespace fi {

/// The activations stage of `--outputs`: takes the given answers in place of running models and publishes the same files, those
/// of layers empty. From 40 different prompts on, discovery and confirmation are parted as always; fewer are all left together.
/// `base_model` and `target_model` are no more than names for the report. Returns the manifest with "folder".
Json take_given_answers(const CompareOptions& options, const std::filesystem::path& folder, ProgressSink& progress);

/// What a report from given answers has to say about its limits.
Json limits_of_given_answers(const Analysis& analysis);

}  // namespace fi
