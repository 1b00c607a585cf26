#include "fi/training/sparse_step.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "fi/core/error.h"
#include "fi/training/aux_loss.h"
#include "fi/training/sparse_passes.h"

namespace fi {
namespace {

constexpr int64_t kPanelLatents = 2048;
constexpr float kFloorShare = 0.8F;   // of the smallest code kept last time
constexpr double kFloorExcess = 2.0;  // candidates wanted, in units of those kept, where there is no last time
constexpr int kTries = 3;

float* data(const at::Tensor& tensor) { return tensor.data_ptr<float>(); }

WeightMemory memory_of(Weight& weight) { return {data(weight.value), data(weight.first_moment), data(weight.second_moment)}; }

BatchShape shape_of(const TrainingConfig& config, const TrainingState& state, const at::Tensor& x) {
  return {.num_rows = x.size(0),
          .num_models = state.num_models(),
          .d_model = state.d_model(),
          .num_latents = state.num_latents(),
          .num_shared = num_shared_latents(config)};
}

// All that a step finds out before it changes a weight.
struct Differentiated {
  BatchShape shape;
  ActiveCodes active;
  RowPass pass;
  std::optional<AuxGradient> aux;
  at::Tensor rows_since_fired;
  StepResult result;

  ExtraGradient extra() const {
    if (!aux) return {};
    return {aux->slot.const_data_ptr<int32_t>(), data(aux->encoder), data(aux->decoder), data(aux->encoder_bias)};
  }
};

at::Tensor fired_latents(const ActiveCodes& active) {
  const auto num_latents = static_cast<int64_t>(active.latent_start.size()) - 1;
  const at::Tensor starts = at::tensor(active.latent_start, at::kLong);
  return starts.narrow(0, 1, num_latents) > starts.narrow(0, 0, num_latents);
}

void fill_result(const at::Tensor& x, Differentiated& step) {
  const double rows = static_cast<double>(step.shape.num_rows);
  const double loss = std::accumulate(step.pass.row_loss.begin(), step.pass.row_loss.end(), 0.0);
  const double error = std::accumulate(step.pass.row_error.begin(), step.pass.row_error.end(), 0.0);
  step.result.loss = loss / (rows * static_cast<double>(step.shape.num_models));
  check(std::isfinite(step.result.loss), ErrorCode::kNumeric,
        "[train] the loss is no longer finite; lower the learning rate, or look for outliers among the activations.");
  const double total = x.square().sum(at::kDouble).item<double>();
  step.result.explained = total > 0.0 ? 1.0 - error / total : 0.0;
  step.result.l0 = static_cast<double>(step.active.num_active()) / rows;
}

Differentiated differentiate(const TrainingConfig& config, const at::Tensor& x, const TrainingState& state) {
  Differentiated step{.shape = shape_of(config, state, x)};
  const at::Tensor norms = decoder_norms(state);
  const int64_t count = k_at(config, state.step) * x.size(0);
  step.active = encode_top(x, state.encoder.value, state.encoder_bias.value, norms, count, state.smallest_kept);
  step.rows_since_fired = state.rows_since_fired.clone();
  count_rows_since_fired(step.rows_since_fired, fired_latents(step.active), x.size(0));
  step.result.num_dead = count_dead(config, step.rows_since_fired);
  const bool with_aux = config.aux_weight > 0.0 && step.result.num_dead > 0;
  run_row_pass(step.shape, step.active, data(x), data(state.decoder.value), data(state.decoder_bias.value), with_aux, step.pass);
  fill_result(x, step);
  if (with_aux) {
    const at::Tensor errors = at::from_blob(step.pass.errors.data(), {x.size(0), x.size(1)}, at::kFloat);
    step.aux = aux_gradient(config, state, x, errors, norms, aux_latents(config, step.rows_since_fired, state.step));
    step.result.aux_loss = step.aux->loss;
  }
  return step;
}

}  // namespace

ActiveCodes encode_top(const at::Tensor& x, const at::Tensor& encoder, const at::Tensor& encoder_bias, const at::Tensor& norms,
                       int64_t count, float hint) {
  const int64_t num_rows = x.size(0), num_latents = encoder.size(0);
  const double share = kFloorExcess * static_cast<double>(count) / static_cast<double>(num_rows * num_latents);
  at::Tensor buffer = at::empty({num_rows * std::min(kPanelLatents, num_latents)}, at::kFloat);
  float floor = hint * kFloorShare;
  for (int tries = 0;; ++tries) {
    std::optional<TopCodeCollector> collector;
    for (int64_t first = 0; first < num_latents; first += kPanelLatents) {
      const int64_t width = std::min(kPanelLatents, num_latents - first);
      at::Tensor panel = buffer.narrow(0, 0, num_rows * width).view({num_rows, width});
      at::addmm_out(panel, encoder_bias.narrow(0, first, width), x, encoder.narrow(0, first, width).t());
      const float* panel_norms = norms.const_data_ptr<float>() + first;
      if (!collector) {
        if (tries == 0 && floor <= 0.0F) floor = estimate_floor(data(panel), panel_norms, num_rows, width, share);
        collector.emplace(num_rows, num_latents, floor);
      }
      collector->add_panel(data(panel), panel_norms, first, width);
    }
    if (collector->num_candidates() >= count || floor <= 0.0F) return collector->take(count);
    floor = tries + 1 < kTries ? floor / 2.0F : 0.0F;
  }
}

Gradients sparse_gradients(const TrainingConfig& config, const at::Tensor& x, const TrainingState& state) {
  const Differentiated step = differentiate(config, x, state);
  Gradients gradients{.encoder = at::empty_like(state.encoder.value),
                      .encoder_bias = at::empty_like(state.encoder_bias.value),
                      .decoder = at::empty_like(state.decoder.value)};
  for (int64_t j = 0; j < step.shape.num_latents; ++j) {
    const int64_t at = j * step.shape.width();
    data(gradients.encoder_bias)[j] = latent_gradient(step.shape, step.active, data(x), step.pass, step.extra(), j,
                                                      data(gradients.encoder) + at, data(gradients.decoder) + at);
  }
  gradients.decoder_bias = at::tensor(decoder_bias_gradient(step.shape, step.pass), at::kFloat);
  return gradients;
}

StepResult sparse_step(const TrainingConfig& config, const at::Tensor& x, TrainingState& state) {
  Differentiated step = differentiate(config, x, state);
  const double lr = lr_at(config, state.step);
  const AdamStep adam = adam_step(lr, config.beta1, config.beta2, config.epsilon, state.step);
  update_latents(step.shape, step.active, data(x), step.pass, step.extra(), adam, with_decay(adam, lr, config.weight_decay),
                 memory_of(state.encoder), memory_of(state.encoder_bias), memory_of(state.decoder));
  const std::vector<float> bias_gradient = decoder_bias_gradient(step.shape, step.pass);
  apply_adam(step.shape.width(), adam, bias_gradient.data(), data(state.decoder_bias.first_moment),
             data(state.decoder_bias.second_moment), data(state.decoder_bias.value));
  state.rows_since_fired = step.rows_since_fired;
  state.smallest_kept = step.active.smallest;
  follow_threshold(config, step.active.smallest, state);
  ++state.step;
  return step.result;
}

}  // namespace fi
