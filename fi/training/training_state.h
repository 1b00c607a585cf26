#pragma once

#include <ATen/ATen.h>

#include "fi/dictionary/crosscoder.h"
#include "fi/training/training_config.h"

namespace fi {

/// A weight with its two Adam moments, all of one shape.
struct Weight {
  at::Tensor value;
  at::Tensor first_moment;
  at::Tensor second_moment;
};

/// Everything that changes while a crosscoder is trained; what a checkpoint holds. Encoder and decoder are kept latent by latent,
/// the models of a latent side by side (column m * d_model + d), so that a latent's vectors are one run of memory. fp32.
struct TrainingState {
  Weight encoder;                   // [num_latents, num_models * d_model]
  Weight encoder_bias;              // [num_latents]
  Weight decoder;                   // [num_latents, num_models * d_model]
  Weight decoder_bias;              // [num_models * d_model]
  Weight log_jump;                  // [num_latents] JumpReLU: logarithm of the threshold of scaled codes; else undefined
  at::Tensor rows_since_fired;      // [num_latents] int64
  RowScaling scaling;               // of the rows that it is trained on
  RowView view = RowView::kModels;  // stored with the dictionary
  double threshold = -1.0;          // below 0: not set yet
  int64_t step = 0;                 // steps taken
  float smallest_kept = 0.0F;       // scaled code, at the last step: where the next search begins. Changes time only, not saved

  int64_t num_models() const { return scaling.mean.size(0); }
  int64_t d_model() const { return scaling.mean.size(1); }
  int64_t num_latents() const { return encoder.value.size(0); }
};

/// What a step saw, before its update.
struct StepResult {
  double loss = 0.0;       // mean over rows and models of |error|, or for L1 the mean over rows of squared error + penalty
  double aux_loss = 0.0;   // AuxK, unweighted; 0 where no latent is dead
  double explained = 0.0;  // 1 - sum |error|^2 / sum |x|^2 of the batch
  double l0 = 0.0;         // active latents a row
  int64_t num_dead = 0;
};

/// All weight gradients of a step.
struct Gradients {
  at::Tensor encoder;       // [num_latents, num_models * d_model]
  at::Tensor encoder_bias;  // [num_latents]
  at::Tensor decoder;       // [num_latents, num_models * d_model]
  at::Tensor decoder_bias;  // [num_models * d_model]
  at::Tensor log_jump;      // [num_latents] JumpReLU; else undefined
};

/// Unit encoder columns in random directions for each model (or one for all: same_init, and latents designated as shared; not
/// where widths differ), decoder their transpose, zero biases. kUsage or kUnsupported for what models of other widths cannot
/// have: designated shared latents, a difference.
TrainingState initial_state(const TrainingConfig& config, const RowScaling& scaling, RowView view);

/// Sum over models of decoder norms: [num_latents].
at::Tensor decoder_norms(const TrainingState& state);

/// Moves the inference threshold towards the smallest scaled code that a batch kept, once k has been annealed.
void follow_threshold(const TrainingConfig& config, double smallest_kept, TrainingState& state);

/// The dictionary in its present state, with its own copy of the weights.
Crosscoder to_crosscoder(const TrainingState& state, const TrainingConfig& config);

}  // namespace fi
