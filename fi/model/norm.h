#pragma once

#include <ATen/ATen.h>

namespace fi {

/// Root mean square norm (Zhang and Sennrich, 2019) over the last dimension.
inline at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double epsilon) {
  return x.mul(x.square().mean(-1, /*keepdim=*/true).add_(epsilon).rsqrt_()).mul_(weight);
}

}  // namespace fi
