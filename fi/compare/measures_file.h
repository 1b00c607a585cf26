#pragma once

#include <filesystem>

#include "fi/compare/analysis.h"

namespace fi {

/// Writes what the statistics of every finding are computed from, one JSON object a line in the findings' order: {"detector",
/// "category", "prompt_index", "base", "target"}, the last four lists with an entry per prompt that the finding was tested on, in
/// the order in which resampling counts them. A measure is the mean over the answers to one prompt. kDisk on failure.
void write_measures(const Analysis& analysis, const std::filesystem::path& path);

}  // namespace fi
