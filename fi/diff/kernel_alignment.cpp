#include "fi/diff/kernel_alignment.h"

#include <cmath>

#include "fi/core/error.h"

namespace fi {
namespace {

at::Tensor gram_without_diagonal(const at::Tensor& x) {
  const at::Tensor rows = x.to(at::kDouble);
  const at::Tensor centred = rows - rows.mean(0, /*keepdim=*/true);
  return at::matmul(centred, centred.t()).fill_diagonal_(0.0);
}

// Song et al. (2012), equation 5, up to the factor 1 / (n (n - 3)) that cancels in the ratio.
double unbiased_hsic(const at::Tensor& k, const at::Tensor& l) {
  const auto n = static_cast<double>(k.size(0));
  const at::Tensor k_rows = k.sum(1), l_rows = l.sum(1);
  const double product = k.mul(l).sum().item<double>();
  const double totals = k_rows.sum().item<double>() * l_rows.sum().item<double>();
  return product + totals / ((n - 1.0) * (n - 2.0)) - 2.0 / (n - 2.0) * k_rows.dot(l_rows).item<double>();
}

}  // namespace

double linear_cka(const at::Tensor& x, const at::Tensor& y) {
  invariant(x.size(0) == y.size(0), "[cka] {} rows beside {}.", x.size(0), y.size(0));
  if (x.size(0) < 4) return 0.0;
  const at::Tensor k = gram_without_diagonal(x), l = gram_without_diagonal(y);
  const double scale = std::sqrt(std::max(0.0, unbiased_hsic(k, k)) * std::max(0.0, unbiased_hsic(l, l)));
  return scale > 0.0 ? unbiased_hsic(k, l) / scale : 0.0;
}

}  // namespace fi
