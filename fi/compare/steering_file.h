#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <map>
#include <string>

namespace fi {

/// Along what one feature or located change is steered.
struct SteeringVectors {
  at::Tensor basis;  // [d_model, rank] fp32, orthonormal columns
  at::Tensor step;   // [d_model] fp32, inside it: the typical difference, target - base
};

/// By feature id ("L18-pca-0", "L18-mean"), and "change-0", "change-1", ... for the entries of localisation.json.
using SteeringMap = std::map<std::string, SteeringVectors>;

/// A single direction: along `step` [d_model], which is not zero.
SteeringVectors along(const at::Tensor& step);

/// Writes activations/steering.safetensors: "<id>.basis" and "<id>.step" for every entry. kDisk on failure.
void write_steering(const std::filesystem::path& path, const SteeringMap& vectors);

/// kNotFound without the file, kInvalid for a file that is not such a one.
SteeringMap read_steering(const std::filesystem::path& path);

}  // namespace fi
