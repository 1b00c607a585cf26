#pragma once

#include <ATen/ATen.h>

#include "fi/core/random.h"
#include "fi/dictionary/crosscoder.h"
#include "fi/training/training_config.h"

namespace fi {

/// Small enough for a test, large enough for panels, partial vectors and dead latents to matter.
inline TrainingConfig small_config() {
  return {.num_latents = 150,
          .k = 6,
          .k_initial = 12,
          .k_anneal_steps = 20,
          .batch_size = 64,
          .num_steps = 100,
          .lr = 3e-3,
          .warmup_steps = 5,
          .decay_steps = 20,
          .aux_k = 8,
          .max_aux_latents = 4,
          .dead_after_rows = 192,
          .same_init = false,
          .seed = 5};
}

inline at::Tensor normal_tensor(at::IntArrayRef shape, Random& random) {
  const at::Tensor values = at::empty(shape, at::kFloat);
  for (int64_t i = 0; i < values.numel(); ++i) values.data_ptr<float>()[i] = static_cast<float>(random.normal());
  return values;
}

/// Rows of two models of width 20 that few of 60 directions make up: [n, 2, 20].
inline at::Tensor sparse_rows(int64_t count, uint64_t seed) {
  Random world(1, stream_of("world")), random(seed, stream_of("rows"));
  const at::Tensor directions = normal_tensor({60, 40}, world);
  const at::Tensor codes = at::zeros({count, 60});
  for (int64_t row = 0; row < count; ++row) {
    for (int active = 0; active < 5; ++active) {
      codes.data_ptr<float>()[row * 60 + static_cast<int64_t>(random.below(60))] = static_cast<float>(0.5 + random.uniform());
    }
  }
  return (codes.matmul(directions) + normal_tensor({count, 40}, random) * 0.05).view({count, 2, 20});
}

}  // namespace fi
