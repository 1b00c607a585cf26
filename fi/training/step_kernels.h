#pragma once

#include <cstdint>

#include "fi/core/vector_kernels.h"

namespace fi {

/// Float kernels of the sparse training step, beside those of fi/core/vector_kernels.h.

/// Whether any of `n` values times its weight exceeds `floor`; n is at most 64.
bool any_above(int64_t n, const float* values, const float* weights, float floor);

/// What one step of Adam (Kingma and Ba, 2015) needs to know; the same for all weights.
struct AdamStep {
  float lr = 0.0F;  // divided by 1 - beta1^t
  float beta1 = 0.0F;
  float beta2 = 0.0F;
  float rest1 = 1.0F;  // 1 - beta1, made in double: in float 1 - 0.999 is off by 5e-5
  float rest2 = 1.0F;
  float inverse_root_correction = 1.0F;  // 1 / sqrt(1 - beta2^t)
  float epsilon = 1e-8F;
  float kept = 1.0F;  // of a weight before it moves: 1 - lr * weight decay
};
AdamStep adam_step(double lr, double beta1, double beta2, double epsilon, int64_t step);
/// The same with weights that decay.
AdamStep with_decay(AdamStep step, double lr, double weight_decay);

/// Updates weights and both moments from a gradient.
void apply_adam(int64_t n, const AdamStep& step, const float* gradient, float* first, float* second, float* weights);

}  // namespace fi
