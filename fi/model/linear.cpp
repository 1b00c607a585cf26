#include "fi/model/linear.h"

namespace fi {

at::Tensor Linear::operator()(const at::Tensor& x) const {
  at::Tensor y = weight->multiply(x);
  if (bias.defined()) y.add_(bias);
  if (lora_a.defined()) y.addmm_(at::matmul(x, lora_a.t()), lora_b.t(), 1.0, lora_scale);
  return y;
}

Linear take_linear(const Weights& weights, const std::string& name, int64_t d_out, int64_t d_in) {
  const Weights scope = weights.scope(name);
  return {.weight = scope.take_matrix("weight", d_out, d_in), .bias = scope.take_if_there("bias", {d_out})};
}

}  // namespace fi
