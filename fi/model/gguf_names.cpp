#include "fi/model/gguf_names.h"

#include <map>

namespace fi {
namespace {

const std::map<std::string, std::string>& outer_names() {
  static const std::map<std::string, std::string> table = {{"token_embd", "model.embed_tokens"},
                                                           {"position_embd", "model.embed_positions"},
                                                           {"output_norm", "model.norm"},
                                                           {"output", "lm_head"}};
  return table;
}

const std::map<std::string, std::string>& block_names() {
  static const std::map<std::string, std::string> table = {{"attn_norm", "input_layernorm"},
                                                           {"attn_qkv", "self_attn.qkv_proj"},
                                                           {"attn_q", "self_attn.q_proj"},
                                                           {"attn_k", "self_attn.k_proj"},
                                                           {"attn_v", "self_attn.v_proj"},
                                                           {"attn_output", "self_attn.o_proj"},
                                                           {"attn_q_norm", "self_attn.q_norm"},
                                                           {"attn_k_norm", "self_attn.k_norm"},
                                                           {"post_attention_norm", "post_attention_layernorm"},
                                                           {"post_ffw_norm", "post_feedforward_layernorm"},
                                                           {"ffn_gate", "mlp.gate_proj"},
                                                           {"ffn_up", "mlp.up_proj"},
                                                           {"ffn_down", "mlp.down_proj"}};
  return table;
}

}  // namespace

std::string canonical_name(const std::string& gguf_name, bool norms_on_both_sides) {
  const size_t part_end = gguf_name.rfind('.');
  if (part_end == std::string::npos) return gguf_name;
  const std::string suffix = gguf_name.substr(part_end);
  const auto outside = outer_names().find(gguf_name.substr(0, part_end));
  if (outside != outer_names().end()) return outside->second + suffix;
  const size_t number_end = gguf_name.find('.', 4);
  if (!gguf_name.starts_with("blk.") || number_end == std::string::npos || part_end <= number_end) return gguf_name;
  const std::string layer = "model.layers." + gguf_name.substr(4, number_end - 4) + ".";
  const std::string part = gguf_name.substr(number_end + 1, part_end - number_end - 1);
  if (part == "ffn_norm")
    return layer + (norms_on_both_sides ? "pre_feedforward_layernorm" : "post_attention_layernorm") + suffix;
  const auto found = block_names().find(part);
  return found == block_names().end() ? gguf_name : layer + found->second + suffix;
}

}  // namespace fi
