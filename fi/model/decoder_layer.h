#pragma once

#include <memory>
#include <utility>

#include "fi/model/attention.h"
#include "fi/model/linear.h"
#include "fi/model/norm.h"

namespace fi {

/// Feed-forward block: down(act(gate(x)) * up(x)), or down(act(up(x))) where there is no gate.
struct FeedForward {
  Linear gate, up, down;
  Activation activation = Activation::kSilu;

  at::Tensor operator()(const at::Tensor& x) const;
};

/// One block of the decoder. Optional parts (norms before and after attention and feed-forward block, the gate, biases) exist if
/// and only if their tensors exist.
class DecoderLayer {
 public:
  /// `rotary` may be null: a layer without positions.
  DecoderLayer(const Weights& weights, const ModelConfig& config, bool is_local, std::shared_ptr<const RotaryTable> rotary);

  /// Residual stream [rows, d_model] before the block -> after it.
  at::Tensor operator()(const at::Tensor& resid, const RowLayout& layout, LayerCache* cache) const;

  /// Calls `visit(name, linear)` for every matrix, by its name in a checkpoint, such as "self_attn.q_proj".
  template <typename Visitor>
  void visit_linears(Visitor&& visit) {
    visit("self_attn.q_proj", attention.query);
    visit("self_attn.k_proj", attention.key);
    visit("self_attn.v_proj", attention.value);
    visit("self_attn.o_proj", attention.output);
    if (feed_forward.gate.weight) visit("mlp.gate_proj", feed_forward.gate);
    visit("mlp.up_proj", feed_forward.up);
    visit("mlp.down_proj", feed_forward.down);
  }
  template <typename Visitor>
  void visit_linears(Visitor&& visit) const {
    const_cast<DecoderLayer*>(this)->visit_linears([&](const char* name, Linear& linear) { visit(name, std::as_const(linear)); });
  }
  /// Calls `visit(name, norm)` for every norm that the block has, by its name in a checkpoint, such as "input_layernorm".
  template <typename Visitor>
  void visit_norms(Visitor&& visit) {
    const auto visit_if_there = [&](const char* name, Norm& norm) {
      if (norm.defined()) visit(name, norm);
    };
    visit_if_there("self_attn.q_norm", attention.query_norm);
    visit_if_there("self_attn.k_norm", attention.key_norm);
    visit_if_there("input_layernorm", before_attention_);
    visit_if_there("post_attention_layernorm", after_attention_);
    // Llama's name of this one means another norm where there is one after attention as well.
    visit_if_there(after_attention_.defined() ? "pre_feedforward_layernorm" : "post_attention_layernorm", before_feed_forward_);
    visit_if_there("post_feedforward_layernorm", after_feed_forward_);
  }
  template <typename Visitor>
  void visit_norms(Visitor&& visit) const {
    const_cast<DecoderLayer*>(this)->visit_norms([&](const char* name, Norm& norm) { visit(name, std::as_const(norm)); });
  }

  Attention attention;
  FeedForward feed_forward;

 private:
  Norm before_attention_, after_attention_, before_feed_forward_, after_feed_forward_;
  bool is_parallel_;
};

}  // namespace fi
