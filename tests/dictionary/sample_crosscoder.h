#pragma once

#include <ATen/ATen.h>

#include <string>

#include "fi/core/random.h"
#include "fi/dictionary/crosscoder.h"

namespace fi {

inline at::Tensor normal_tensor(at::IntArrayRef shape, Random& random, double scale = 1.0) {
  const at::Tensor values = at::empty(shape, at::kFloat);
  float* out = values.data_ptr<float>();
  for (int64_t i = 0; i < values.numel(); ++i) out[i] = static_cast<float>(scale * random.normal());
  return values;
}

/// Two models of width 6, ten latents, numbers that do not depend on the machine.
inline Crosscoder sample_crosscoder(bool equal_scales) {
  Random random(7, stream_of("sample crosscoder"));
  Crosscoder c;
  c.encoder = normal_tensor({2, 6, 10}, random, 0.4);
  c.encoder_bias = normal_tensor({10}, random, 0.1);
  c.decoder = normal_tensor({2, 10, 6}, random, 0.5);
  c.decoder_bias = normal_tensor({2, 6}, random, 0.2);
  c.scaling.mean = normal_tensor({2, 6}, random, 1.0);
  c.scaling.scale = equal_scales ? at::full({2}, 0.75F) : at::tensor({0.5F, 2.0F});
  c.k = 3;
  c.threshold = 0.8;
  return c;
}

/// The same with other rules of sparsity: "batch_topk", "relu", "jump_relu" or "topk"; a scale for each model.
inline Crosscoder sample_of_kind(const std::string& kind) {
  Crosscoder c = sample_crosscoder(false);
  for (const Sparsity sparsity : {Sparsity::kRelu, Sparsity::kJumpRelu, Sparsity::kTopK}) {
    if (kind == sparsity_name(sparsity)) c.sparsity = sparsity;
  }
  if (c.sparsity == Sparsity::kJumpRelu) c.jump_threshold = at::arange(10, at::kFloat) * 0.1;
  return c;
}

inline at::Tensor sample_rows(int64_t count = 12) {
  Random random(8, stream_of("sample rows"));
  return normal_tensor({count, 2, 6}, random, 2.0);
}

}  // namespace fi
