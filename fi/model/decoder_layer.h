#pragma once

#include <memory>
#include <string>

#include "fi/model/attention.h"
#include "fi/model/linear.h"

namespace fi {

/// Gated feed-forward block: down(act(gate(x)) * up(x)).
struct FeedForward {
  Linear gate, up, down;
  bool gelu_tanh = false;  // else SiLU

  at::Tensor operator()(const at::Tensor& x) const;
};

/// One block of the decoder. Optional parts (norms after attention and feed-forward) exist if and only if their tensors exist.
class DecoderLayer {
 public:
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
    visit("mlp.gate_proj", feed_forward.gate);
    visit("mlp.up_proj", feed_forward.up);
    visit("mlp.down_proj", feed_forward.down);
  }
  template <typename Visitor>
  void visit_linears(Visitor&& visit) const {
    const_cast<DecoderLayer*>(this)->visit_linears([&](const char* name, Linear& linear) { visit(name, std::as_const(linear)); });
  }
  /// The norm vectors of the block; undefined where it has none.
  std::vector<at::Tensor> norms() const { return {input_norm_, attention_norm_, feed_forward_norm_, output_norm_}; }

  Attention attention;
  FeedForward feed_forward;

 private:
  at::Tensor input_norm_;         // before attention
  at::Tensor attention_norm_;     // after attention, before it joins the residual stream (Gemma); else undefined
  at::Tensor feed_forward_norm_;  // before the feed-forward block
  at::Tensor output_norm_;        // after it (Gemma); else undefined
  double epsilon_;
};

}  // namespace fi
