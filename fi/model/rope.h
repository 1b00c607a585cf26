#pragma once

#include <ATen/ATen.h>

namespace fi {

/// Rotary position embedding (Su et al., 2021), halves convention: dimension i is rotated with dimension i + head_dim / 2.
struct RotaryTable {
  at::Tensor cos;  // [max_positions, head_dim]
  at::Tensor sin;  // [max_positions, head_dim], with the sign of the first half folded in
};

RotaryTable make_rotary_table(int64_t head_dim, int64_t max_positions, double theta);

/// Rotates x [rows, heads, head_dim] by the positions [rows].
at::Tensor rotate(const at::Tensor& x, const RotaryTable& table, const at::Tensor& positions);

}  // namespace fi
