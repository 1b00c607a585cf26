#pragma once

#include <CLI/CLI.hpp>

#include "fi/compare/options.h"

namespace fi {

/// Adds a flag for every comparison option: base_model becomes --base-model.
void add_options(CLI::App& app, CompareOptions& options);

}  // namespace fi
