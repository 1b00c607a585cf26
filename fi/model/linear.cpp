#include "fi/model/linear.h"

#include <algorithm>

namespace fi {
namespace {

// Rows widened at a time: the panel stays in the cache while the product reads it.
constexpr int64_t kPanelRows = 512;

}  // namespace

at::Tensor multiply_by_weight(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& scales) {
  if (weight.scalar_type() == at::kFloat) return at::matmul(x, weight.t());
  const int64_t d_out = weight.size(0);
  at::Tensor y = at::empty({x.size(0), d_out}, x.options());
  for (int64_t row = 0; row < d_out; row += kPanelRows) {
    const int64_t count = std::min(kPanelRows, d_out - row);
    y.narrow(1, row, count).copy_(at::matmul(x, weight.narrow(0, row, count).to(at::kFloat).t()));
  }
  return scales.defined() ? y.mul_(scales) : y;
}

Linear quantise_rows(const at::Tensor& weight) {
  const at::Tensor scales = weight.abs().amax(1).clamp_min_(1e-12).div_(127.0);
  return {.weight = weight.div(scales.unsqueeze(1)).round_().to(at::kChar), .scales = scales};
}

at::Tensor Linear::operator()(const at::Tensor& x) const {
  at::Tensor y = multiply_by_weight(x, weight, scales);
  if (bias.defined()) y.add_(bias);
  if (lora_a.defined()) y.addmm_(at::matmul(x, lora_a.t()), lora_b.t(), 1.0, lora_scale);
  return y;
}

Linear take_linear(const Weights& weights, const std::string& name, int64_t d_out, int64_t d_in) {
  const Weights scope = weights.scope(name);
  Linear linear;
  if (scope.options().held_as == at::kChar) {
    linear = quantise_rows(scope.take_float("weight", {d_out, d_in}).to(scope.options().device));
  } else {
    linear.weight = scope.take("weight", {d_out, d_in});
  }
  linear.bias = scope.take_if_there("bias", {d_out});
  return linear;
}

}  // namespace fi
