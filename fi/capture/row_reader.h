#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <vector>

#include "fi/activations/activation_writer.h"
#include "fi/activations/hook_points.h"
#include "fi/capture/traced_text.h"

namespace fi {

/// Rows of both models with their places in the texts, in order; positions and ids are the base's.
struct ReadRows {
  at::Tensor rows;  // [n, 2 * num_layers, d_model of the wider model] fp32 on the CPU: the base's layers, then the target's
  std::vector<RowPlace> places;
};

/// Reads texts with both models and keeps the residual rows that a dictionary is meant for. Left out and counted: position 0,
/// special tokens, what texts begin with alike, and tokens without one of the target's own that ends there.
class RowReader {
 public:
  /// `layers` are the target's; the base's are at the same relative depths. Rows before `first_position` are left out of every
  /// text. Models must outlive this. kUsage where two layers lie beside the same one of the base.
  RowReader(const Decoder& base, const Decoder& target, const LayerGroup& layers, std::function<bool(int32_t)> is_special,
            int64_t first_position);

  const LayerGroup& base_layers() const { return base_layers_; }
  /// Texts are read together: a few thousand tokens. Places count them from `first_text` on. Later blocks do not run.
  ReadRows read(const std::vector<TracedText>& texts, int64_t first_text = 0);
  const ActivationWriter::Masked& masked() const { return masked_; }

 private:
  struct Chosen;
  Chosen choose(const std::vector<TracedText>& texts, const PackedBatch& base, const PackedBatch& target, int64_t first_text);

  const Decoder& base_;
  const Decoder& target_;
  LayerGroup base_layers_;
  LayerGroup target_layers_;
  std::function<bool(int32_t)> is_special_;
  int64_t first_position_;
  ActivationWriter::Masked masked_;
};

}  // namespace fi
