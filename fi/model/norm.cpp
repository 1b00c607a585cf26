#include "fi/model/norm.h"

#include <ATen/Parallel.h>

#include <algorithm>

#include "fi/model/row_kernels.h"

namespace fi {
namespace {

// One pass over memory where the definition in tensors takes six.
at::Tensor rms_norm_on_cpu(const at::Tensor& x, const at::Tensor& weight, double epsilon) {
  const at::Tensor rows = x.contiguous();
  at::Tensor y = at::empty_like(rows);
  const int64_t width = rows.size(-1);
  at::parallel_for(0, rows.numel() / width, rows_a_task(width), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row)
      rms_norm_row(width, static_cast<float>(epsilon), rows.const_data_ptr<float>() + row * width, weight.const_data_ptr<float>(),
                   y.mutable_data_ptr<float>() + row * width);
  });
  return y;
}

bool is_plain(const at::Tensor& x) { return x.is_cpu() && x.scalar_type() == at::kFloat && !x.requires_grad(); }

}  // namespace

at::Tensor Norm::operator()(const at::Tensor& x) const {
  if (!defined()) return x;
  if (kind == NormKind::kLayer) return at::layer_norm(x, weight.sizes(), weight, bias, epsilon);
  if (is_plain(x) && is_plain(weight) && weight.is_contiguous()) return rms_norm_on_cpu(x, weight, epsilon);
  return x.mul(x.square().mean(-1, /*keepdim=*/true).add_(epsilon).rsqrt_()).mul_(weight);
}

}  // namespace fi
