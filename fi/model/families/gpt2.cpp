#include "fi/model/families/family.h"

namespace fi {
namespace {

void adjust(ModelConfig& config) {
  config.norm = NormKind::kLayer;
  config.has_rope.assign(static_cast<size_t>(config.num_layers), false);
}

}  // namespace

/// GPT-2: layer norms with bias, learned positions, no gate, biases everywhere. Checkpoints store matrices transposed (Conv1D).
Family gpt2_family() {
  return {.name = "gpt2",
          .model_types = {"gpt2"},
          .gguf_architecture = "gpt2",
          .adjust = adjust,
          .names = {{".transformer.", "."},
                    {".wte.", ".model.embed_tokens."},
                    {".wpe.", ".model.embed_positions."},
                    {".ln_f.", ".model.norm."},
                    {".h.", ".model.layers."},
                    {".ln_1.", ".input_layernorm."},
                    {".ln_2.", ".post_attention_layernorm."},
                    {".mlp.c_fc.", ".mlp.up_proj."},
                    {".mlp.c_proj.", ".mlp.down_proj."},
                    {".attn.c_attn.", ".self_attn.qkv_proj."},
                    {".attn.c_proj.", ".self_attn.o_proj."}},
          .gguf_activation = Activation::kGeluTanh,
          .tied_by_default = true,
          .transposed_matrices = true,
          .fuses_qkv = true};
}

}  // namespace fi
