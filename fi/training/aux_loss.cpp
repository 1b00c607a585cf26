#include "fi/training/aux_loss.h"

#include <algorithm>

namespace fi {
namespace {

double spread_of(const at::Tensor& errors) {
  return (errors - errors.mean(at::IntArrayRef{0})).square().sum(at::kDouble).item<double>();
}

}  // namespace

void count_rows_since_fired(at::Tensor& rows_since_fired, const at::Tensor& fired, int64_t num_rows) {
  rows_since_fired.add_(num_rows).masked_fill_(fired, 0);
}

int64_t count_dead(const TrainingConfig& config, const at::Tensor& rows_since_fired) {
  return rows_since_fired.ge(config.dead_after_rows).sum().item<int64_t>();
}

at::Tensor aux_latents(const TrainingConfig& config, const at::Tensor& rows_since_fired, int64_t step) {
  const at::Tensor dead = rows_since_fired.ge(config.dead_after_rows).nonzero().flatten();
  if (dead.numel() <= config.max_aux_latents) return dead;
  const int64_t first = (step * config.max_aux_latents) % dead.numel();
  return dead.roll(-first).narrow(0, 0, config.max_aux_latents).contiguous();
}

at::Tensor aux_codes(const TrainingConfig& config, const at::Tensor& x, const at::Tensor& encoder, const at::Tensor& encoder_bias,
                     const at::Tensor& norms, int64_t d_model) {
  const at::Tensor codes = at::addmm(encoder_bias, x, encoder.t()).relu();
  const int64_t k = config.aux_k > 0 ? config.aux_k : std::max<int64_t>(1, d_model / 2);
  if (k >= codes.size(1)) return codes;
  const at::Tensor chosen = std::get<1>((codes.detach() * norms).topk(k, 1, true, false));
  return codes * at::zeros_like(codes).scatter_(1, chosen, 1.0);
}

at::Tensor aux_loss(const at::Tensor& errors, const at::Tensor& codes, const at::Tensor& decoder) {
  const double spread = spread_of(errors);
  const at::Tensor left = errors - codes.matmul(decoder);
  return left.square().sum() * (spread > 0.0 ? 1.0 / spread : 0.0);
}

AuxGradient aux_gradient(const TrainingConfig& config, const TrainingState& state, const at::Tensor& x, const at::Tensor& errors,
                         const at::Tensor& norms, const at::Tensor& latents) {
  AuxGradient result;
  result.slot = at::full({state.num_latents()}, -1, at::kInt);
  result.slot.index_put_({latents}, at::arange(latents.numel(), at::kInt));
  const at::Tensor encoder = state.encoder.value.index_select(0, latents), decoder = state.decoder.value.index_select(0, latents);
  const at::Tensor codes = aux_codes(config, x, encoder, state.encoder_bias.value.index_select(0, latents),
                                     norms.index_select(0, latents), state.d_model());
  const double spread = spread_of(errors);
  const at::Tensor left = errors - codes.matmul(decoder);
  result.loss = spread > 0.0 ? left.square().sum(at::kDouble).item<double>() / spread : 0.0;
  const at::Tensor output_gradient = left * (spread > 0.0 ? -2.0 * config.aux_weight / spread : 0.0);
  result.decoder = codes.t().matmul(output_gradient);
  const at::Tensor code_gradient = output_gradient.matmul(decoder.t()) * codes.gt(0);
  result.encoder = code_gradient.t().matmul(x);
  result.encoder_bias = code_gradient.sum(0);
  return result;
}

}  // namespace fi
