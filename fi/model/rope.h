#pragma once

#include <ATen/ATen.h>

#include "fi/model/model_config.h"

namespace fi {

/// Rotary position embedding (Su et al., 2021), halves convention: of the first `rotary_dim` dimensions of a head, dimension i is
/// rotated with dimension i + rotary_dim / 2; the others stay.
struct RotaryTable {
  at::Tensor cos;  // [max_positions, rotary_dim]
  at::Tensor sin;  // [max_positions, rotary_dim], with the sign of the first half folded in
};

/// Frequencies [rotary_dim / 2] in radians a token. Scalings: linear (Chen et al., 2023) divides all by the factor; llama3 (Llama
/// 3.1) divides the low ones and blends; yarn (Peng et al., 2023) blends by rotations within the original length; longrope (Ding
/// et al., 2024) divides each by its own number. dynamic is unscaled up to the original length, where max_positions ends.
at::Tensor rotary_frequencies(const RopeConfig& rope, int64_t rotary_dim);

RotaryTable make_rotary_table(const RopeConfig& rope, int64_t rotary_dim, int64_t max_positions);

/// Rotates x [rows, heads, head_dim] by the positions [rows].
at::Tensor rotate(const at::Tensor& x, const RotaryTable& table, const at::Tensor& positions);

}  // namespace fi
