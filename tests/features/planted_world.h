#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "fi/core/random.h"

namespace fi {

/// A direction that rows of two models are made of.
struct PlantedFeature {
  double rate = 0.03;        // share of rows that hold it
  double base_weight = 1.0;  // 0: the base does not have it
  double target_weight = 1.0;
  bool half_apart = false;  // half of its rows hold it in one model only
};

/// Rows made of known directions, so that what a dictionary says can be checked.
struct PlantedWorld {
  std::vector<PlantedFeature> features;
  at::Tensor directions;  // [num_features, d_model], unit

  static PlantedWorld make(std::vector<PlantedFeature> features, int64_t d_model, uint64_t seed) {
    Random random(seed, stream_of("planted directions"));
    PlantedWorld world{.features = std::move(features)};
    world.directions = at::empty({static_cast<int64_t>(world.features.size()), d_model}, at::kFloat);
    float* out = world.directions.data_ptr<float>();
    for (int64_t i = 0; i < world.directions.numel(); ++i) out[i] = static_cast<float>(random.normal());
    world.directions /= world.directions.norm(2, {1}, true);
    return world;
  }

  /// [count, 2, d_model]; noise is drawn for each model on its own.
  at::Tensor rows(int64_t count, double noise, uint64_t seed) const {
    Random random(seed, stream_of("planted rows"));
    const auto num_features = static_cast<int64_t>(features.size());
    const at::Tensor weights = at::zeros({2, count, num_features});
    float* base = weights.data_ptr<float>();
    float* target = base + count * num_features;
    for (int64_t row = 0; row < count; ++row) {
      for (int64_t j = 0; j < num_features; ++j) {
        const PlantedFeature& feature = features[static_cast<size_t>(j)];
        if (random.uniform() >= feature.rate) continue;
        const double strength = 1.0 + random.uniform();
        const double where = feature.half_apart ? random.uniform() : 1.0;  // below a quarter: base only; a half: target only
        if (where < 0.25 || where >= 0.5) base[row * num_features + j] = static_cast<float>(strength * feature.base_weight);
        if (where >= 0.25) target[row * num_features + j] = static_cast<float>(strength * feature.target_weight);
      }
    }
    at::Tensor result = weights.matmul(directions).transpose(0, 1).contiguous();
    float* out = result.data_ptr<float>();
    for (int64_t i = 0; i < result.numel(); ++i) out[i] += static_cast<float>(noise * random.normal());
    return result;
  }
};

}  // namespace fi
