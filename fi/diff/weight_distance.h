#pragma once

#include <string>
#include <vector>

#include "fi/core/progress.h"
#include "fi/model/model_source.h"

namespace fi {

/// How far one tensor of the target is from the base's of the same name.
struct WeightDistance {
  std::string name;    // canonical: "model.layers.3.mlp.up_proj.weight"
  int64_t layer = -1;  // -1: outside the blocks
  std::string part;    // "mlp.up_proj", or what stands before ".weight" outside the blocks
  bool is_matrix = false;
  int64_t num_values = 0;
  double relative_change = 0.0;  // |t - b| / |b|, Frobenius norms
  double cosine = 1.0;           // <b, t> / (|b| |t|)

  bool is_equal() const { return relative_change == 0.0; }
};

struct WeightDistances {
  std::vector<WeightDistance> tensors;  // of the names and shapes that both have, in the order of layers
  std::vector<std::string> unmatched;   // names that one alone has, or in another shape
};

/// Reads both models' tensors from their mapped files, panel by panel, whatever they are stored in: no model is built, and memory
/// does not grow with it. Time is that of reading and widening both files once.
WeightDistances weight_distances(const ModelSource& base, const ModelSource& target, ProgressSink& progress);

}  // namespace fi
