#include "fi/training/sparse_passes.h"

#include <algorithm>
#include <cmath>

namespace fi {
namespace {

void decode_row(const BatchShape& shape, const ActiveCodes& active, int64_t row, const float* decoder, const float* decoder_bias,
                float* reconstruction) {
  const int64_t width = shape.width();
  std::copy_n(decoder_bias, width, reconstruction);
  for (int64_t i = active.row_start[static_cast<size_t>(row)]; i < active.row_start[static_cast<size_t>(row) + 1]; ++i) {
    const auto entry = static_cast<size_t>(i);
    add_scaled(width, active.code[entry], decoder + active.latent[entry] * width, reconstruction);
  }
}

// Turns the error of one row into the gradient of the loss by the reconstruction.
void differentiate_row(const BatchShape& shape, float* error, double& loss, double& squared) {
  const double rows_and_models = static_cast<double>(shape.num_rows * shape.num_models);
  loss = squared = 0.0;
  for (int64_t m = 0; m < shape.num_models; ++m) {
    float* part = error + m * shape.d_model;
    const double square = dot_product(shape.d_model, part, part);
    const double norm = std::sqrt(square);
    loss += norm;
    squared += square;
    const float factor = norm > 0.0 ? static_cast<float>(-1.0 / (norm * rows_and_models)) : 0.0F;
    for (int64_t d = 0; d < shape.d_model; ++d) part[d] *= factor;
  }
}

}  // namespace

void run_row_pass(const BatchShape& shape, const ActiveCodes& active, const float* x, const float* decoder,
                  const float* decoder_bias, bool keep_errors, RowPass& pass) {
  const int64_t width = shape.width();
  pass.output_gradient.resize(static_cast<size_t>(shape.num_rows * width));
  pass.code_gradient.resize(static_cast<size_t>(active.num_active()));
  pass.row_loss.resize(static_cast<size_t>(shape.num_rows));
  pass.row_error.resize(static_cast<size_t>(shape.num_rows));
  pass.errors.resize(keep_errors ? pass.output_gradient.size() : 0);
#pragma omp parallel for schedule(dynamic, 16)
  for (int64_t row = 0; row < shape.num_rows; ++row) {
    float* gradient = pass.output_gradient.data() + row * width;
    decode_row(shape, active, row, decoder, decoder_bias, gradient);
    for (int64_t i = 0; i < width; ++i) gradient[i] = x[row * width + i] - gradient[i];
    if (keep_errors) std::copy_n(gradient, width, pass.errors.data() + row * width);
    differentiate_row(shape, gradient, pass.row_loss[static_cast<size_t>(row)], pass.row_error[static_cast<size_t>(row)]);
    for (int64_t i = active.row_start[static_cast<size_t>(row)]; i < active.row_start[static_cast<size_t>(row) + 1]; ++i) {
      const auto entry = static_cast<size_t>(i);
      pass.code_gradient[entry] = dot_product(width, decoder + active.latent[entry] * width, gradient);
    }
  }
}

void tie_models(int64_t num_models, int64_t d_model, float* gradient) {
  for (int64_t m = 1; m < num_models; ++m) add_scaled(d_model, 1.0F, gradient + m * d_model, gradient);
  for (int64_t m = 1; m < num_models; ++m) std::copy_n(gradient, d_model, gradient + m * d_model);
}

float latent_gradient(const BatchShape& shape, const ActiveCodes& active, const float* x, const RowPass& pass,
                      const ExtraGradient& extra, int64_t latent, float* encoder, float* decoder) {
  const int64_t width = shape.width();
  const int64_t slot = extra.slot == nullptr ? -1 : extra.slot[latent];
  float bias = 0.0F;
  if (slot >= 0) {
    std::copy_n(extra.encoder + slot * width, width, encoder);
    std::copy_n(extra.decoder + slot * width, width, decoder);
    bias = extra.encoder_bias[slot];
  } else {
    std::fill_n(encoder, width, 0.0F);
    std::fill_n(decoder, width, 0.0F);
  }
  const auto begin = active.latent_start[static_cast<size_t>(latent)], end = active.latent_start[static_cast<size_t>(latent) + 1];
  for (int64_t i = begin; i < end; ++i) {
    const auto entry = static_cast<size_t>(active.by_latent[static_cast<size_t>(i)]);
    const int64_t row = active.row[entry];
    add_scaled(width, pass.code_gradient[entry], x + row * width, encoder);
    add_scaled(width, active.code[entry], pass.output_gradient.data() + row * width, decoder);
    bias += pass.code_gradient[entry];
  }
  if (latent < shape.num_shared) tie_models(shape.num_models, shape.d_model, decoder);
  return bias;
}

void update_latents(const BatchShape& shape, const ActiveCodes& active, const float* x, const RowPass& pass,
                    const ExtraGradient& extra, const AdamStep& adam, const AdamStep& decaying, WeightMemory encoder,
                    WeightMemory encoder_bias, WeightMemory decoder) {
  const int64_t width = shape.width();
#pragma omp parallel
  {
    std::vector<float> encoder_gradient(static_cast<size_t>(width)), decoder_gradient(static_cast<size_t>(width));
#pragma omp for schedule(dynamic, 16)
    for (int64_t j = 0; j < shape.num_latents; ++j) {
      const float bias = latent_gradient(shape, active, x, pass, extra, j, encoder_gradient.data(), decoder_gradient.data());
      const int64_t at = j * width;
      const bool fired = active.latent_start[static_cast<size_t>(j) + 1] > active.latent_start[static_cast<size_t>(j)];
      const AdamStep& step = fired ? decaying : adam;
      apply_adam(width, step, encoder_gradient.data(), encoder.first_moment + at, encoder.second_moment + at, encoder.value + at);
      apply_adam(width, step, decoder_gradient.data(), decoder.first_moment + at, decoder.second_moment + at, decoder.value + at);
      apply_adam(1, adam, &bias, encoder_bias.first_moment + j, encoder_bias.second_moment + j, encoder_bias.value + j);
    }
  }
}

std::vector<float> decoder_bias_gradient(const BatchShape& shape, const RowPass& pass) {
  constexpr int64_t kColumns = 64;
  const int64_t width = shape.width();
  std::vector<float> gradient(static_cast<size_t>(width), 0.0F);
#pragma omp parallel for schedule(static)
  for (int64_t first = 0; first < width; first += kColumns) {
    const int64_t count = std::min(kColumns, width - first);
    for (int64_t row = 0; row < shape.num_rows; ++row) {
      add_scaled(count, 1.0F, pass.output_gradient.data() + row * width + first, gradient.data() + first);
    }
  }
  return gradient;
}

}  // namespace fi
