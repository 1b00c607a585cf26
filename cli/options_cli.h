#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

#include "fi/compare/options.h"

namespace fi {

/// Adds a flag for comparison options: base_model becomes --base-model. `names` chooses some; none means every one.
void add_options(CLI::App& app, CompareOptions& options, const std::vector<std::string>& names = {});

/// BASE and TARGET as plain words, beside --base-model and --target-model.
void add_model_words(CLI::App& app, CompareOptions& options);

/// What commands that only load models need.
const std::vector<std::string>& model_options();

}  // namespace fi
