#include "fi/capture/matched_layer.h"

#include <cmath>

#include "fi/core/error.h"

namespace fi {

int64_t matched_layer(int64_t target_layer, int64_t num_base, int64_t num_target) {
  if (num_target <= 1) return num_base - 1;
  const double depth = static_cast<double>(target_layer) / static_cast<double>(num_target - 1);
  return std::llround(depth * static_cast<double>(num_base - 1));
}

LayerGroup matched_layers(const LayerGroup& target_layers, int64_t num_base, int64_t num_target) {
  LayerGroup layers;
  for (const int64_t layer : target_layers) {
    layers.push_back(matched_layer(layer, num_base, num_target));
    check(
        layers.size() < 2 || layers.back() != layers[layers.size() - 2], ErrorCode::kUsage,
        "[capture] layers {} of the target lie beside the same layer {} of the base, which has {}; choose layers further apart.",
        group_text(target_layers), layers.back(), num_base);
  }
  return layers;
}

}  // namespace fi
