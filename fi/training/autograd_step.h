#pragma once

#include "fi/training/training_state.h"

namespace fi {

/// The step of `sparse_step` written plainly: dense codes, LibTorch's autograd, Adam tensor by tensor. Serves every device that
/// the state is on, and is what the sparse step is tested against. With l1_weight > 0 it trains an L1 crosscoder instead (Lindsey
/// et al. 2024): relu codes, loss = mean over rows of |error|^2 + l1_weight * sum of scaled codes. With l0_weight > 0 a
/// JumpReLU crosscoder (Rajamanoharan et al. 2407.14435): a code is kept where its scaled value exceeds the threshold of its
/// latent, so that decoder norms weigh in; loss = mean over rows of |error|^2 + l0_weight * number of active latents, whose
/// gradients by the thresholds are straight-through estimates with a rectangular kernel of jump_bandwidth. kNumeric if the loss
/// is not finite.
StepResult autograd_step(const TrainingConfig& config, const at::Tensor& x, TrainingState& state);

/// What `autograd_step` would update the weights by; nothing is changed.
Gradients autograd_gradients(const TrainingConfig& config, const at::Tensor& x, const TrainingState& state);

}  // namespace fi
