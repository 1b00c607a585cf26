#pragma once

#include <ATen/ATen.h>

#include "fi/model/weight_matrix.h"
#include "fi/model/weights.h"

namespace fi {

/// y = x W^T + b, with an optional low-rank side path scale * (x A^T) B^T (LoRA; Hu et al., 2021), so that an adapter shares the
/// weights of its base.
struct Linear {
  WeightMatrixPtr weight;  // [d_out, d_in]
  at::Tensor bias;         // [d_out] or undefined
  at::Tensor lora_a;       // [rank, d_in] or undefined
  at::Tensor lora_b;       // [d_out, rank]
  double lora_scale = 0.0;

  /// `x` is [rows, d_in] fp32; returns [rows, d_out] fp32.
  at::Tensor operator()(const at::Tensor& x) const;
};

/// `<name>.weight` and, where there is one, `<name>.bias`.
Linear take_linear(const Weights& weights, const std::string& name, int64_t d_out, int64_t d_in);

}  // namespace fi
