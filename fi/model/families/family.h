#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fi/core/json.h"
#include "fi/io/gguf.h"
#include "fi/model/model_config.h"
#include "fi/model/tensor_view.h"

namespace fi {

/// How one family of models describes itself in its files. The decoder itself is the same for all: optional parts follow the
/// tensors.
struct Family {
  using Renaming =
      std::vector<std::pair<std::string, std::string>>;  // parts of a dotted name, each with its dots: ".wte." -> ".x."

  std::string name;                                // "llama"
  std::vector<std::string> model_types;            // "model_type" of config.json
  std::string gguf_architecture;                   // "general.architecture" of GGUF; empty: GGUF has none of its own
  void (*adjust)(ModelConfig& config) = nullptr;   // what neither file says, after the common fields were read; may be null
  Renaming names;                                  // from the family's checkpoints to canonical names
  Renaming gguf_names;                             // the same after the common GGUF names were translated
  Activation gguf_activation = Activation::kSilu;  // GGUF does not say
  bool tied_by_default = false;                    // when config.json does not say whether embeddings are tied
  double norm_offset = 0.0;                        // safetensors store norm weights less this
  bool has_norms_around = false;                   // before and after attention and feed-forward block (GGUF's names differ then)
  bool gguf_rotary_pairs = false;                  // GGUF stores q and k rows in interleaved pairs
  bool transposed_matrices = false;                // safetensors store the blocks' matrices as [d_in, d_out]
  bool qkv_by_head = false;                        // safetensors' fused q, k, v rows stand head by head
  bool fuses_qkv = false;                          // safetensors hold q, k and v as one matrix
  bool fuses_gate_up = false;                      // and gate and up as another
};

/// Every family that is supported; each is defined in a file of its own in this folder.
const std::vector<Family>& families();

/// kUnsupported with the list of families for an unknown model type or architecture.
const Family& family_of_model_type(const std::string& model_type, std::string_view where);
const Family& family_of_gguf(const std::string& architecture, std::string_view where);

Family gemma_family();
Family gemma2_family();
Family gemma3_family();
Family gpt2_family();
Family gpt_neox_family();
Family llama_family();
Family mistral_family();
Family olmo2_family();
Family phi3_family();
Family qwen2_family();
Family qwen3_family();
Family smollm3_family();

}  // namespace fi
