#include "fi/model/rope.h"

namespace fi {

RotaryTable make_rotary_table(int64_t head_dim, int64_t max_positions, double theta) {
  const int64_t half = head_dim / 2;
  const at::Tensor exponent = at::arange(half, at::kFloat).mul(2.0 / static_cast<double>(head_dim));
  const at::Tensor frequency = at::pow(theta, exponent).reciprocal();
  const at::Tensor angle = at::outer(at::arange(max_positions, at::kFloat), frequency);
  const at::Tensor cos = angle.cos();
  const at::Tensor sin = angle.sin();
  return {.cos = at::cat({cos, cos}, 1), .sin = at::cat({sin.neg(), sin}, 1)};
}

at::Tensor rotate(const at::Tensor& x, const RotaryTable& table, const at::Tensor& positions) {
  const at::Tensor cos = table.cos.index_select(0, positions).unsqueeze(1);
  const at::Tensor sin = table.sin.index_select(0, positions).unsqueeze(1);
  const int64_t half = x.size(-1) / 2;
  const at::Tensor swapped = at::cat({x.narrow(-1, half, half), x.narrow(-1, 0, half)}, -1);
  return x.mul(cos).addcmul_(swapped, sin);
}

}  // namespace fi
