#pragma once

#include <string>

#include "fi/core/json.h"

namespace fi {

/// A line for each matrix of a block, a character for each layer, by the logarithm of its change: from "▁", the smallest change
/// of all, to "█"; "·" where nothing changed. `weights` is what `doctor` returns. Empty without weights.
std::string weight_map_text(const Json& weights);

}  // namespace fi
