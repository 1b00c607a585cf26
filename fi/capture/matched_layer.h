#pragma once

#include <cstdint>

#include "fi/activations/hook_points.h"

namespace fi {

/// The layer of `num_base` at the relative depth of `target_layer` among `num_target`: first beside first, last beside last.
int64_t matched_layer(int64_t target_layer, int64_t num_base, int64_t num_target);

/// The base's layers beside each of the target's. kUsage where two of them lie beside the same one.
LayerGroup matched_layers(const LayerGroup& target_layers, int64_t num_base, int64_t num_target);

}  // namespace fi
