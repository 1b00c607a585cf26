#include "fi/model/families/family.h"

namespace fi {

/// GPT-NeoX and Pythia: layer norms with bias, attention and feed-forward block side by side, a quarter of each head rotated, no
/// gate. Checkpoints fuse q, k and v head by head; GGUF puts them one after another.
Family gpt_neox_family() {
  return {.name = "gpt_neox",
          .model_types = {"gpt_neox"},
          .gguf_architecture = "gptneox",
          .adjust = [](ModelConfig& config) { config.norm = NormKind::kLayer; },
          .names = {{".gpt_neox.layers.", ".model.layers."},
                    {".gpt_neox.embed_in.", ".model.embed_tokens."},
                    {".gpt_neox.final_layer_norm.", ".model.norm."},
                    {".embed_out.", ".lm_head."},
                    {".attention.query_key_value.", ".self_attn.qkv_proj."},
                    {".attention.dense.", ".self_attn.o_proj."},
                    {".dense_h_to_4h.", ".up_proj."},
                    {".dense_4h_to_h.", ".down_proj."}},
          .gguf_activation = Activation::kGelu,
          .qkv_by_head = true,
          .fuses_qkv = true};
}

}  // namespace fi
