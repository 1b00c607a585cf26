#include "fi/training/training_state.h"

#include <cmath>

#include "fi/core/error.h"
#include "fi/core/random.h"

namespace fi {
namespace {

Weight weight_of(at::Tensor value) {
  Weight weight{.first_moment = at::zeros_like(value), .second_moment = at::zeros_like(value)};
  weight.value = std::move(value);
  return weight;
}

// A direction of its own for each latent and model, independent of how many there are. Models of other widths have no direction
// in common to start with.
at::Tensor random_directions(const TrainingConfig& config, const RowScaling& scaling) {
  const int64_t num_latents = config.num_latents, num_models = scaling.mean.size(0), d_model = scaling.mean.size(1);
  const bool same_init = config.same_init && scaling.has_one_width();
  at::Tensor directions = at::empty({num_latents, num_models, d_model}, at::kFloat);
  float* out = directions.data_ptr<float>();
  const int64_t num_shared = num_shared_latents(config);
  for (int64_t j = 0; j < num_latents; ++j) {
    Random random(config.seed, stream_of("dictionary init") + static_cast<uint64_t>(j));
    for (int64_t i = 0; i < num_models * d_model; ++i) {
      const bool repeated = (same_init || j < num_shared) && i >= d_model;
      out[j * num_models * d_model + i] =
          repeated ? out[j * num_models * d_model + i % d_model] : static_cast<float>(random.normal());
    }
  }
  directions = cut_to_widths(scaling, directions.transpose(0, 1)).transpose(0, 1);
  return (directions / directions.norm(2, {2}, true)).reshape({num_latents, num_models * d_model});
}

// [num_latents, num_models * d_model] -> [num_models, num_latents, d_model]
at::Tensor by_model(const at::Tensor& weights, int64_t num_models) {
  return weights.view({weights.size(0), num_models, -1}).transpose(0, 1);
}

}  // namespace

TrainingState initial_state(const TrainingConfig& config, const RowScaling& scaling, RowView view) {
  check_training_config(config);
  TrainingState state;
  state.scaling = scaling;
  state.view = view;
  check(scaling.has_one_width() || num_shared_latents(config) == 0, ErrorCode::kUsage,
        "[train] shared_share is {}, but the models are {} wide: no vector is one of both; leave it at 0.", config.shared_share,
        fmt::join(scaling.widths, " and "));
  check(scaling.has_one_width() || view == RowView::kModels, ErrorCode::kUnsupported,
        "[train] the models are {} wide: their rows have no difference; train a crosscoder.", fmt::join(scaling.widths, " and "));
  const at::Tensor directions = random_directions(config, scaling);
  state.encoder = weight_of(directions);
  state.encoder_bias = weight_of(at::zeros({config.num_latents}));
  state.decoder = weight_of(directions.clone());
  state.decoder_bias = weight_of(at::zeros({state.num_models() * state.d_model()}));
  if (training_kind(config) == TrainingKind::kJumpRelu)
    state.log_jump = weight_of(at::full({config.num_latents}, std::log(config.jump_threshold)));
  state.rows_since_fired = at::zeros({config.num_latents}, at::kLong);
  return state;
}

at::Tensor decoder_norms(const TrainingState& state) {
  return state.decoder.value.view({state.num_latents(), state.num_models(), -1}).norm(2, {2}).sum(1);
}

void follow_threshold(const TrainingConfig& config, double smallest_kept, TrainingState& state) {
  if (state.step < config.k_anneal_steps) return;
  const double beta = state.threshold < 0.0 ? 0.0 : config.threshold_beta;
  state.threshold = beta * state.threshold + (1.0 - beta) * smallest_kept;
}

Crosscoder to_crosscoder(const TrainingState& state, const TrainingConfig& config) {
  Crosscoder result;
  const auto copy = [](const at::Tensor& tensor) { return tensor.to(at::kCPU).clone(at::MemoryFormat::Contiguous); };
  result.encoder = copy(by_model(state.encoder.value, state.num_models()).transpose(1, 2));
  result.encoder_bias = copy(state.encoder_bias.value);
  result.decoder = copy(by_model(state.decoder.value, state.num_models()));
  result.decoder_bias = copy(state.decoder_bias.value.view({state.num_models(), -1}));
  result.scaling = {.mean = copy(state.scaling.mean), .scale = copy(state.scaling.scale), .widths = state.scaling.widths};
  result.view = state.view;
  result.k = config.k;
  switch (training_kind(config)) {
    case TrainingKind::kBatchTopK: result.sparsity = Sparsity::kBatchTopK; break;
    case TrainingKind::kL1: result.sparsity = Sparsity::kRelu; break;
    case TrainingKind::kJumpRelu:
      result.sparsity = Sparsity::kJumpRelu;
      result.jump_threshold = copy(state.log_jump.value.exp() / decoder_norms(state).clamp_min(1e-30));
      break;
  }
  result.threshold = state.threshold;
  return result;
}

}  // namespace fi
