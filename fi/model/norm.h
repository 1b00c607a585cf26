#pragma once

#include <ATen/ATen.h>

#include "fi/model/model_config.h"
#include "fi/model/weights.h"

namespace fi {

/// Root mean square norm (Zhang and Sennrich, 2019) or layer norm (Ba et al., 2016) over the last dimension. Without a weight: x.
struct Norm {
  at::Tensor weight;  // [width] or undefined
  at::Tensor bias;    // [width] or undefined
  NormKind kind = NormKind::kRms;
  double epsilon = 1e-5;

  bool defined() const { return weight.defined(); }

  at::Tensor operator()(const at::Tensor& x) const;
};

/// `<name>.weight` and, where there is one, `<name>.bias`.
inline Norm take_norm(const Weights& weights, const std::string& name, int64_t width, const ModelConfig& config) {
  return {.weight = weights.take(name + ".weight", {width}),
          .bias = weights.take_if_there(name + ".bias", {width}),
          .kind = config.norm,
          .epsilon = config.norm_epsilon};
}

/// The same, or no norm where the checkpoint has none.
inline Norm take_norm_if_there(const Weights& weights, const std::string& name, int64_t width, const ModelConfig& config) {
  return weights.has(name + ".weight") ? take_norm(weights, name, width, config) : Norm{};
}

}  // namespace fi
