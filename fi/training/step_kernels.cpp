#include "fi/training/step_kernels.h"

#include <cmath>

#include "fi/core/target_clones.h"

namespace fi {

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

AdamStep with_decay(AdamStep step, double lr, double weight_decay) {
  step.kept = static_cast<float>(1.0 - lr * weight_decay);
  return step;
}

FI_CLONES void apply_adam(int64_t n, const AdamStep& step, const float* gradient, float* first, float* second, float* weights) {
  const AdamStep s = step;
  for (int64_t i = 0; i < n; ++i) {
    const float g = gradient[i];
    const float m = s.beta1 * first[i] + s.rest1 * g;
    const float v = s.beta2 * second[i] + s.rest2 * g * g;
    first[i] = m;
    second[i] = v;
    weights[i] = s.kept * weights[i] - s.lr * m / (std::sqrt(v) * s.inverse_root_correction + s.epsilon);
  }
}

}  // namespace fi
