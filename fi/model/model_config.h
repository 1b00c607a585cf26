#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace fi {

/// One decoder-only transformer, whatever its family. Sizes in values, not bytes.
struct ModelConfig {
  std::string family;  // registry key: "llama", "qwen2", "gemma3_text"
  int64_t vocab_size = 0;
  int64_t d_model = 0;
  int64_t num_layers = 0;
  int64_t num_heads = 0;
  int64_t num_kv_heads = 0;
  int64_t head_dim = 0;
  int64_t d_ffn = 0;
  int64_t max_positions = 0;
  double norm_epsilon = 1e-5;
  double rope_theta = 10000.0;
  double rope_local_theta = 10000.0;      // of layers with a sliding window (Gemma 3)
  std::optional<int64_t> sliding_window;  // tokens a local layer sees
  std::vector<bool> is_local;             // per layer; empty: none is
  bool tied_embeddings = false;
  double query_scale = 0.0;         // multiplies q.k; 0: 1/sqrt(head_dim)
  std::string activation = "silu";  // or "gelu_tanh"
};

}  // namespace fi
