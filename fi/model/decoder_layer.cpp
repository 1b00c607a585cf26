#include "fi/model/decoder_layer.h"

namespace fi {
namespace {

FeedForward take_feed_forward(const Weights& weights, const ModelConfig& config) {
  return {.gate = weights.has("gate_proj.weight") ? take_linear(weights, "gate_proj", config.d_ffn, config.d_model) : Linear{},
          .up = take_linear(weights, "up_proj", config.d_ffn, config.d_model),
          .down = take_linear(weights, "down_proj", config.d_model, config.d_ffn),
          .activation = config.activation};
}

at::Tensor activate(const at::Tensor& x, Activation activation) {
  switch (activation) {
    case Activation::kGelu: return at::gelu(x);
    case Activation::kGeluTanh: return at::gelu(x, "tanh");
    case Activation::kSilu: break;
  }
  return at::silu(x);
}

bool has_norms_after(const Weights& weights) { return weights.has("post_feedforward_layernorm.weight"); }
bool has_norms_around(const Weights& weights) { return weights.has("pre_feedforward_layernorm.weight"); }

// "post_attention_layernorm" means before the feed-forward block in Llama, after attention where there are norms after both.
Norm take_norm_after_attention(const Weights& weights, const ModelConfig& config) {
  return has_norms_after(weights) ? take_norm(weights, "post_attention_layernorm", config.d_model, config) : Norm{};
}

Norm take_norm_before_feed_forward(const Weights& weights, const ModelConfig& config) {
  if (has_norms_around(weights)) return take_norm(weights, "pre_feedforward_layernorm", config.d_model, config);
  return has_norms_after(weights) ? Norm{} : take_norm(weights, "post_attention_layernorm", config.d_model, config);
}

}  // namespace

at::Tensor FeedForward::operator()(const at::Tensor& x) const {
  if (!gate.weight) return down(activate(up(x), activation));
  return down(activate(gate(x), activation).mul_(up(x)));
}

DecoderLayer::DecoderLayer(const Weights& weights, const ModelConfig& config, bool is_local,
                           std::shared_ptr<const RotaryTable> rotary)
    : attention(weights.scope("self_attn"), config, is_local, std::move(rotary)),
      feed_forward(take_feed_forward(weights.scope("mlp"), config)),
      before_attention_(take_norm_if_there(weights, "input_layernorm", config.d_model, config)),
      after_attention_(take_norm_after_attention(weights, config)),
      before_feed_forward_(take_norm_before_feed_forward(weights, config)),
      after_feed_forward_(take_norm_if_there(weights, "post_feedforward_layernorm", config.d_model, config)),
      is_parallel_(config.parallel_residual) {}

at::Tensor DecoderLayer::operator()(const at::Tensor& resid, const RowLayout& layout, LayerCache* cache) const {
  const at::Tensor middle = resid + after_attention_(attention(before_attention_(resid), layout, cache));
  const at::Tensor& read = is_parallel_ ? resid : middle;
  return middle + after_feed_forward_(feed_forward(before_feed_forward_(read)));
}

}  // namespace fi
