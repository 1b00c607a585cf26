#include "fi/model/decoder_layer.h"

#include "fi/model/norm.h"

namespace fi {
namespace {

FeedForward take_feed_forward(const Weights& weights, const ModelConfig& config) {
  return {.gate = take_linear(weights, "gate_proj", config.d_ffn, config.d_model),
          .up = take_linear(weights, "up_proj", config.d_ffn, config.d_model),
          .down = take_linear(weights, "down_proj", config.d_model, config.d_ffn),
          .gelu_tanh = config.activation == "gelu_tanh"};
}

// Families with norms on both sides of a block call the one before the feed-forward block differently.
at::Tensor take_feed_forward_norm(const Weights& weights, const ModelConfig& config) {
  const bool both_sides = weights.has("pre_feedforward_layernorm.weight");
  return weights.take(both_sides ? "pre_feedforward_layernorm.weight" : "post_attention_layernorm.weight", {config.d_model});
}

at::Tensor take_attention_norm(const Weights& weights, const ModelConfig& config) {
  if (!weights.has("pre_feedforward_layernorm.weight")) return {};
  return weights.take("post_attention_layernorm.weight", {config.d_model});
}

}  // namespace

at::Tensor FeedForward::operator()(const at::Tensor& x) const {
  at::Tensor hidden = gelu_tanh ? at::gelu(gate(x), "tanh") : at::silu(gate(x));
  return down(hidden.mul_(up(x)));
}

DecoderLayer::DecoderLayer(const Weights& weights, const ModelConfig& config, bool is_local,
                           std::shared_ptr<const RotaryTable> rotary)
    : attention(weights.scope("self_attn"), config, is_local, std::move(rotary)),
      feed_forward(take_feed_forward(weights.scope("mlp"), config)),
      input_norm_(weights.take("input_layernorm.weight", {config.d_model})),
      attention_norm_(take_attention_norm(weights, config)),
      feed_forward_norm_(take_feed_forward_norm(weights, config)),
      output_norm_(weights.take_if_there("post_feedforward_layernorm.weight", {config.d_model})),
      epsilon_(config.norm_epsilon) {}

at::Tensor DecoderLayer::operator()(const at::Tensor& resid, const RowLayout& layout, LayerCache* cache) const {
  at::Tensor mixed = attention(rms_norm(resid, input_norm_, epsilon_), layout, cache);
  if (attention_norm_.defined()) mixed = rms_norm(mixed, attention_norm_, epsilon_);
  const at::Tensor middle = resid + mixed;
  at::Tensor moved = feed_forward(rms_norm(middle, feed_forward_norm_, epsilon_));
  if (output_norm_.defined()) moved = rms_norm(moved, output_norm_, epsilon_);
  return moved.add_(middle);
}

}  // namespace fi
