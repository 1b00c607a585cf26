#include "fi/training/vector_kernels.h"

#include <cmath>
#include <cstring>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define FI_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FI_CLONES
#endif

namespace fi {
namespace {

// Sixteen floats: one AVX-512 register, two AVX2 ones.
using Lanes = float __attribute__((vector_size(64)));
using UnalignedLanes = float __attribute__((vector_size(64), aligned(4)));
constexpr int64_t kLanes = 16;

}  // namespace

FI_CLONES void add_scaled(int64_t n, float a, const float* x, float* y) {
  int64_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    const auto* x0 = reinterpret_cast<const UnalignedLanes*>(x + i);
    auto* y0 = reinterpret_cast<UnalignedLanes*>(y + i);
    const Lanes low = y0[0] + a * x0[0], high = y0[1] + a * x0[1];
    y0[0] = low;
    y0[1] = high;
  }
  for (; i < n; ++i) y[i] += a * x[i];
}

FI_CLONES float dot_product(int64_t n, const float* x, const float* y) {
  Lanes low = {}, high = {};
  int64_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    const auto* x0 = reinterpret_cast<const UnalignedLanes*>(x + i);
    const auto* y0 = reinterpret_cast<const UnalignedLanes*>(y + i);
    low += x0[0] * y0[0];
    high += x0[1] * y0[1];
  }
  low += high;
  float lanes[kLanes];
  std::memcpy(lanes, &low, sizeof lanes);
  for (int64_t width = kLanes / 2; width > 0; width /= 2) {
    for (int64_t l = 0; l < width; ++l) lanes[l] += lanes[l + width];
  }
  float sum = lanes[0];
  for (; i < n; ++i) sum += x[i] * y[i];
  return sum;
}

FI_CLONES bool any_above(int64_t n, const float* values, const float* weights, float floor) {
  int above = 0;
  for (int64_t i = 0; i < n; ++i) above |= static_cast<int>(values[i] * weights[i] > floor);
  return above != 0;
}

AdamStep adam_step(double lr, double beta1, double beta2, double epsilon, int64_t step) {
  const auto t = static_cast<double>(step + 1);
  return {.lr = static_cast<float>(lr / (1.0 - std::pow(beta1, t))),
          .beta1 = static_cast<float>(beta1),
          .beta2 = static_cast<float>(beta2),
          .rest1 = static_cast<float>(1.0 - beta1),
          .rest2 = static_cast<float>(1.0 - beta2),
          .inverse_root_correction = static_cast<float>(1.0 / std::sqrt(1.0 - std::pow(beta2, t))),
          .epsilon = static_cast<float>(epsilon)};
}

FI_CLONES void apply_adam(int64_t n, const AdamStep& step, const float* gradient, float* first, float* second, float* weights) {
  const AdamStep s = step;
  for (int64_t i = 0; i < n; ++i) {
    const float g = gradient[i];
    const float m = s.beta1 * first[i] + s.rest1 * g;
    const float v = s.beta2 * second[i] + s.rest2 * g * g;
    first[i] = m;
    second[i] = v;
    weights[i] -= s.lr * m / (std::sqrt(v) * s.inverse_root_correction + s.epsilon);
  }
}

}  // namespace fi
