#pragma once

#include <cstdint>

namespace fi {

/// The layer of `num_base` at the relative depth of `target_layer` among `num_target`: first beside first, last beside last.
int64_t matched_layer(int64_t target_layer, int64_t num_base, int64_t num_target);

}  // namespace fi
