#pragma once

#include "fi/training/active_codes.h"
#include "fi/training/training_state.h"

namespace fi {

/// One BatchTopK step on normalised rows x [batch, num_models * d_model], on the CPU. Loss: mean over rows and models of |x -
/// reconstruction|, plus aux_weight times AuxK. The encoder is a dense product; everything after it touches active latents only,
/// and no gradient is held but those of AuxK. The same step as `autograd_step`, to rounding. kNumeric if the loss is not finite.
StepResult sparse_step(const TrainingConfig& config, const at::Tensor& x, TrainingState& state);

/// The `count` largest scaled codes of a batch, in panels of latents. `hint` is a guess of the smallest of them, or 0.
ActiveCodes encode_top(const at::Tensor& x, const at::Tensor& encoder, const at::Tensor& encoder_bias, const at::Tensor& norms,
                       int64_t count, float hint);

/// What `sparse_step` would update the weights by: for tests and diagnosis, nothing is changed.
Gradients sparse_gradients(const TrainingConfig& config, const at::Tensor& x, const TrainingState& state);

}  // namespace fi
