#pragma once

#include <cstdint>
#include <vector>

#include "fi/training/active_codes.h"
#include "fi/training/step_kernels.h"

namespace fi {

/// The sparse half of a training step over plain memory, parallel over rows, then over latents. Every sum is made by one thread
/// in a fixed order, so results do not depend on the number of threads.

struct BatchShape {
  int64_t num_rows = 0;
  int64_t num_models = 0;
  int64_t d_model = 0;
  int64_t num_latents = 0;
  int64_t num_shared = 0;  // of these, the first ones: one decoder vector for all models

  int64_t width() const { return num_models * d_model; }
};

/// What decoding a batch leaves for the gradients.
struct RowPass {
  std::vector<float> output_gradient;  // [num_rows, width] d loss / d reconstruction
  std::vector<float> code_gradient;    // [num_active] d loss / d code
  std::vector<double> row_loss;        // [num_rows] sum over models of |error|
  std::vector<double> row_error;       // [num_rows] sum over models of |error|^2
  std::vector<float> errors;           // [num_rows, width] x - reconstruction; filled only if asked for
};

/// Decodes the active codes, and differentiates loss = mean over rows and models of |x - reconstruction|.
/// `decoder` is [num_latents, width], `decoder_bias` [width], `x` [num_rows, width].
void run_row_pass(const BatchShape& shape, const ActiveCodes& active, const float* x, const float* decoder,
                  const float* decoder_bias, bool keep_errors, RowPass& pass);

/// A further gradient on some latents, added to theirs: `slot` [num_latents] is their row in the tensors, or -1. May be all null.
struct ExtraGradient {
  const int32_t* slot = nullptr;
  const float* encoder = nullptr;       // [num_slots, width]
  const float* decoder = nullptr;       // [num_slots, width]
  const float* encoder_bias = nullptr;  // [num_slots]
};

/// Where all models have one vector, its gradient is the sum of theirs: `gradient` [num_models * d_model] gets it for each model.
void tie_models(int64_t num_models, int64_t d_model, float* gradient);

/// The gradient of one latent's encoder and decoder vectors, each [width]; returns that of its encoder bias.
float latent_gradient(const BatchShape& shape, const ActiveCodes& active, const float* x, const RowPass& pass,
                      const ExtraGradient& extra, int64_t latent, float* encoder, float* decoder);

/// Weights and moments in plain memory.
struct WeightMemory {
  float* value = nullptr;
  float* first_moment = nullptr;
  float* second_moment = nullptr;
};

/// Gradient and Adam latent by latent: a gradient lives only in the cache of the thread that made it. `decaying` is the step of
/// the vectors of latents that fired.
void update_latents(const BatchShape& shape, const ActiveCodes& active, const float* x, const RowPass& pass,
                    const ExtraGradient& extra, const AdamStep& adam, const AdamStep& decaying, WeightMemory encoder,
                    WeightMemory encoder_bias, WeightMemory decoder);

/// The gradient of the decoder bias, [width].
std::vector<float> decoder_bias_gradient(const BatchShape& shape, const RowPass& pass);

}  // namespace fi
