#include "fi/capture/matched_layer.h"

#include <cmath>

namespace fi {

int64_t matched_layer(int64_t target_layer, int64_t num_base, int64_t num_target) {
  if (num_target <= 1) return num_base - 1;
  const double depth = static_cast<double>(target_layer) / static_cast<double>(num_target - 1);
  return std::llround(depth * static_cast<double>(num_base - 1));
}

}  // namespace fi
