#include "fi/training/autograd_step.h"

#include <cmath>

#include "fi/core/error.h"
#include "fi/training/aux_loss.h"

namespace fi {
namespace {

at::Tensor leaf(const Weight& weight) { return weight.value.detach().requires_grad_(true); }

// 1 where a code is among the `count` largest scaled ones and above zero.
at::Tensor top_mask(const at::Tensor& scaled, int64_t count) {
  const at::Tensor flat = scaled.flatten();
  const at::Tensor chosen = std::get<1>(flat.topk(std::min(count, flat.numel()), 0, true, false));
  return at::zeros_like(flat).scatter_(0, chosen, 1.0).view_as(scaled) * scaled.gt(0);
}

struct Selection {
  at::Tensor codes;    // [batch, num_latents] those kept
  at::Tensor penalty;  // summed over the batch; undefined for BatchTopK
};

// Equations 10 and 11 of Rajamanoharan et al.: a threshold is moved by the scaled codes within half a bandwidth of it. What the
// estimates add is zero in value, so that only gradients see them.
Selection jump(const TrainingConfig& config, int64_t step, const at::Tensor& codes, const at::Tensor& norms,
               const at::Tensor& scaled, const at::Tensor& log_jump) {
  const at::Tensor threshold = log_jump.exp();
  const at::Tensor gate = scaled.gt(threshold.detach()).to(codes.scalar_type());
  const at::Tensor near = (scaled - threshold.detach()).abs().lt(config.jump_bandwidth / 2.0).to(codes.scalar_type());
  const at::Tensor moved = near * (threshold - threshold.detach()) / config.jump_bandwidth;
  const at::Tensor edge = (threshold / norms.clamp_min(1e-30)).detach();  // what a code is where it begins
  return {codes * gate - edge * moved, (gate - moved).sum() * l0_weight_at(config, step)};
}

Selection select(const TrainingConfig& config, int64_t step, const at::Tensor& codes, const at::Tensor& norms,
                 const at::Tensor& scaled, const at::Tensor& log_jump) {
  switch (training_kind(config)) {
    case TrainingKind::kL1: return {codes, (codes * norms).sum() * config.l1_weight};
    case TrainingKind::kJumpRelu: return jump(config, step, codes, norms, scaled, log_jump);
    case TrainingKind::kBatchTopK: break;
  }
  return {codes * top_mask(scaled, k_at(config, step) * codes.size(0)), {}};
}

struct Leaves {
  at::Tensor encoder, encoder_bias, decoder, decoder_bias, log_jump;
};

struct Forward {
  at::Tensor loss;
  at::Tensor errors;  // [batch, num_models * d_model]
  at::Tensor active;  // [batch, num_latents] bool
  double aux_loss = 0.0;
  double smallest = 0.0;
};

Forward run_forward(const TrainingConfig& config, const at::Tensor& x, const TrainingState& state, const Leaves& w) {
  Forward forward;
  const at::Tensor codes = at::addmm(w.encoder_bias, x, w.encoder.t()).relu();
  const at::Tensor norms = w.decoder.view({state.num_latents(), state.num_models(), -1}).norm(2, {2}).sum(1);
  const at::Tensor scaled = (codes * norms).detach();
  const Selection selection = select(config, state.step, codes, norms, scaled, w.log_jump);
  forward.active = selection.codes.detach() > 0;
  forward.errors = x - at::addmm(w.decoder_bias, selection.codes, w.decoder);
  if (training_kind(config) != TrainingKind::kBatchTopK) {
    forward.loss = (forward.errors.square().sum() + selection.penalty) / static_cast<double>(x.size(0));
    return forward;
  }
  forward.loss = forward.errors.view({x.size(0), state.num_models(), -1}).norm(2, {2}).mean();
  const at::Tensor active_scaled = scaled.masked_select(forward.active);
  forward.smallest = active_scaled.numel() > 0 ? active_scaled.min().item<double>() : 0.0;
  return forward;
}

void add_aux_loss(const TrainingConfig& config, const at::Tensor& x, const TrainingState& state, const Leaves& w,
                  const at::Tensor& rows_since_fired, Forward& forward) {
  const at::Tensor latents = aux_latents(config, rows_since_fired, state.step);
  if (latents.numel() == 0 || config.aux_weight <= 0.0 || training_kind(config) != TrainingKind::kBatchTopK) return;
  const at::Tensor codes = aux_codes(config, x, w.encoder.index_select(0, latents), w.encoder_bias.index_select(0, latents),
                                     decoder_norms(state).index_select(0, latents), state.d_model());
  const at::Tensor loss = aux_loss(forward.errors.detach(), codes, w.decoder.index_select(0, latents));
  forward.aux_loss = loss.item<double>();
  forward.loss = forward.loss + loss * config.aux_weight;
}

void update(const TrainingConfig& config, int64_t step, const at::Tensor& gradient, Weight& weight) {
  const double t = static_cast<double>(step + 1);
  weight.first_moment.mul_(config.beta1).add_(gradient, 1.0 - config.beta1);
  weight.second_moment.mul_(config.beta2).addcmul_(gradient, gradient, 1.0 - config.beta2);
  const at::Tensor root = weight.second_moment.sqrt().div_(std::sqrt(1.0 - std::pow(config.beta2, t))).add_(config.epsilon);
  weight.value.addcdiv_(weight.first_moment, root, -lr_at(config, step) / (1.0 - std::pow(config.beta1, t)));
}

void decay_vectors(const TrainingConfig& config, const at::Tensor& fired, TrainingState& state) {
  const at::Tensor kept = 1.0 - fired.to(at::kFloat).unsqueeze(1) * (lr_at(config, state.step) * config.weight_decay);
  state.encoder.value.mul_(kept);
  state.decoder.value.mul_(kept);
}

// One vector for all models: its gradient is the sum of theirs.
void tie_shared(const TrainingConfig& config, int64_t num_models, at::Tensor& decoder_gradient) {
  const int64_t num_shared = num_shared_latents(config);
  const at::Tensor by_model =
      decoder_gradient.narrow(0, 0, num_shared).view({num_shared, num_models, decoder_gradient.size(1) / num_models});
  by_model.copy_(by_model.sum(at::IntArrayRef{1}, true).expand_as(by_model).clone());
}

struct AutogradPass {
  Gradients gradients;
  at::Tensor rows_since_fired;
  double smallest = 0.0;
  StepResult result;
};

AutogradPass differentiate_densely(const TrainingConfig& config, const at::Tensor& x, const TrainingState& state) {
  const bool is_jump = training_kind(config) == TrainingKind::kJumpRelu;
  const Leaves w{leaf(state.encoder), leaf(state.encoder_bias), leaf(state.decoder), leaf(state.decoder_bias),
                 is_jump ? leaf(state.log_jump) : at::Tensor()};
  Forward forward = run_forward(config, x, state, w);
  AutogradPass step{.rows_since_fired = state.rows_since_fired.clone(), .smallest = forward.smallest};
  count_rows_since_fired(step.rows_since_fired, forward.active.any(0), x.size(0));
  const double loss = forward.loss.item<double>();
  add_aux_loss(config, x, state, w, step.rows_since_fired, forward);
  const double total = x.square().sum(at::kDouble).item<double>();
  const double error = forward.errors.detach().square().sum(at::kDouble).item<double>();
  step.result = {.loss = loss,
                 .aux_loss = forward.aux_loss,
                 .explained = total > 0.0 ? 1.0 - error / total : 0.0,
                 .l0 = forward.active.sum().item<double>() / static_cast<double>(x.size(0)),
                 .num_dead = count_dead(config, step.rows_since_fired)};
  check(std::isfinite(loss), ErrorCode::kNumeric,
        "[train] the loss is no longer finite; lower the learning rate, or look for outliers among the activations.");
  forward.loss.backward();
  step.gradients = {w.encoder.grad(), w.encoder_bias.grad(), w.decoder.grad(), w.decoder_bias.grad(),
                    is_jump ? w.log_jump.grad() : at::Tensor()};
  tie_shared(config, state.num_models(), step.gradients.decoder);
  return step;
}

}  // namespace

Gradients autograd_gradients(const TrainingConfig& config, const at::Tensor& x, const TrainingState& state) {
  return differentiate_densely(config, x, state).gradients;
}

StepResult autograd_step(const TrainingConfig& config, const at::Tensor& x, TrainingState& state) {
  const AutogradPass step = differentiate_densely(config, x, state);
  decay_vectors(config, step.rows_since_fired.eq(0), state);
  update(config, state.step, step.gradients.encoder, state.encoder);
  update(config, state.step, step.gradients.encoder_bias, state.encoder_bias);
  update(config, state.step, step.gradients.decoder, state.decoder);
  update(config, state.step, step.gradients.decoder_bias, state.decoder_bias);
  if (state.log_jump.value.defined()) update(config, state.step, step.gradients.log_jump, state.log_jump);
  state.rows_since_fired = step.rows_since_fired;
  if (training_kind(config) == TrainingKind::kBatchTopK) follow_threshold(config, step.smallest, state);
  ++state.step;
  return step.result;
}

}  // namespace fi
