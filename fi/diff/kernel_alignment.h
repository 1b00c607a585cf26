#pragma once

#include <ATen/ATen.h>

namespace fi {

/// Linear centred kernel alignment of x [n, d1] and y [n, d2], rows of both being the same inputs: 1 for representations that are
/// equal up to rotation and scale, about 0 for unrelated ones (Kornblith et al., 2019). With the unbiased estimate of HSIC (Song
/// et al., 2012), which does not rise towards 1 where n is smaller than the widths. 0 for fewer than 4 rows or constant ones.
double linear_cka(const at::Tensor& x, const at::Tensor& y);

}  // namespace fi
