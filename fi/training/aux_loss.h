#pragma once

#include "fi/training/training_state.h"

namespace fi {

/// AuxK (Gao et al. 2406.04093, appendix A.2; the form of jkminder/dictionary_learning): dead latents, the aux_k largest for each
/// row, reconstruct what the living ones left over. loss = |e - codes . decoder|^2 / |e - mean e|^2, e the error, held constant.

/// Counts a batch in: latents that fired start again from 0. `fired` is [num_latents] bool.
void count_rows_since_fired(at::Tensor& rows_since_fired, const at::Tensor& fired, int64_t num_rows);
int64_t count_dead(const TrainingConfig& config, const at::Tensor& rows_since_fired);

/// The dead latents that take part at this step, at most `max_aux_latents` of them by turns: [n] int64, perhaps empty.
at::Tensor aux_latents(const TrainingConfig& config, const at::Tensor& rows_since_fired, int64_t step);

/// Codes [batch, n] of these latents, zero beyond the aux_k largest of each row. Differentiable in encoder and bias.
at::Tensor aux_codes(const TrainingConfig& config, const at::Tensor& x, const at::Tensor& encoder, const at::Tensor& encoder_bias,
                     const at::Tensor& norms, int64_t d_model);

/// The loss, differentiable in codes and decoder; 0 where the errors do not vary.
at::Tensor aux_loss(const at::Tensor& errors, const at::Tensor& codes, const at::Tensor& decoder);

/// Loss and gradients (times aux_weight) in closed form.
struct AuxGradient {
  double loss = 0.0;
  at::Tensor slot;          // [num_latents] int32: row below, or -1
  at::Tensor encoder;       // [n, num_models * d_model]
  at::Tensor encoder_bias;  // [n]
  at::Tensor decoder;       // [n, num_models * d_model]
};
AuxGradient aux_gradient(const TrainingConfig& config, const TrainingState& state, const at::Tensor& x, const at::Tensor& errors,
                         const at::Tensor& norms, const at::Tensor& latents);

}  // namespace fi
