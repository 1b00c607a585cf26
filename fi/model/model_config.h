#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace fi {

enum class NormKind { kRms, kLayer };
enum class Activation { kSilu, kGelu, kGeluTanh };
enum class RopeScaling { kNone, kLinear, kDynamic, kLlama3, kYarn, kLongRope };

/// Rotary positions as config files describe them; see make_rotary_table for what the scalings do.
struct RopeConfig {
  double theta = 10000.0;
  RopeScaling scaling = RopeScaling::kNone;
  double factor = 1.0;              // how many times longer texts may be than in the first training
  double original_positions = 0.0;  // of the first training; 0: not given
  double low_frequency_factor = 1.0, high_frequency_factor = 4.0;  // llama3
  double beta_fast = 32.0, beta_slow = 1.0;                        // yarn: rotations between which frequencies are blended
  double mscale = 0.0, mscale_all_dim = 0.0;                       // yarn
  bool truncate = true;                                            // yarn: whole dimensions as ends of the blend
  std::optional<double> attention_factor;  // multiplies cos and sin; absent: as the scaling's paper has it
  std::vector<double>
      divisors;  // [rotary_dim / 2] of the frequencies (longrope's short factors, GGUF's rope_freqs); may be empty
};

/// One decoder-only transformer, whatever its family. Sizes in values, not bytes.
struct ModelConfig {
  std::string family;  // registry key: "llama", "qwen2", "gemma3"
  int64_t vocab_size = 0;
  int64_t d_model = 0;
  int64_t num_layers = 0;
  int64_t num_heads = 0;
  int64_t num_kv_heads = 0;
  int64_t head_dim = 0;
  int64_t d_ffn = 0;
  int64_t max_positions = 0;  // longer texts are refused
  NormKind norm = NormKind::kRms;
  double norm_epsilon = 1e-5;
  Activation activation = Activation::kSilu;
  bool parallel_residual = false;  // attention and feed-forward block read the same residual stream (GPT-NeoX)
  bool norms_whole_query = false;  // norms on q and k span all heads (OLMo 2), not each head
  int64_t rotary_dim = 0;          // leading dimensions of a head that are rotated
  RopeConfig rope;
  RopeConfig local_rope;                  // of layers with a sliding window
  std::vector<bool> has_rope;             // per layer; empty: all have
  std::optional<int64_t> sliding_window;  // tokens a local layer sees
  std::vector<bool> is_local;             // per layer; empty: none is
  bool tied_embeddings = false;
  double embedding_scale = 1.0;
  double query_scale = 0.0;         // multiplies q.k; 0: 1/sqrt(head_dim)
  double attention_soft_cap = 0.0;  // > 0: cap * tanh(score / cap)
  double logit_soft_cap = 0.0;      // the same for logits
};

}  // namespace fi
