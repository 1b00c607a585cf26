#include <algorithm>
#include <cmath>

#include "fi/core/error.h"
#include "fi/model/read_config.h"
#include "fi/model/read_rope.h"

namespace fi {
namespace {

/// Metadata of one architecture: keys without its prefix.
class Fields {
 public:
  Fields(const GgufFile& file, const std::string& architecture) : file_(file), prefix_(architecture + ".") {}

  bool has(const std::string& key) const { return file_.has(prefix_ + key); }
  int64_t integer(const std::string& key) const { return file_.get_int(prefix_ + key); }
  int64_t integer(const std::string& key, int64_t fallback) const { return has(key) ? integer(key) : fallback; }
  double real(const std::string& key, double fallback) const { return has(key) ? file_.get_double(prefix_ + key) : fallback; }
  std::string text(const std::string& key, const char* fallback) const {
    return has(key) ? file_.get_string(prefix_ + key) : fallback;
  }
  bool flag(const std::string& key, bool fallback) const { return file_.get_bool(prefix_ + key, fallback); }

 private:
  const GgufFile& file_;
  std::string prefix_;
};

void read_sizes(const Fields& fields, ModelConfig& config, const std::string& where) {
  config.d_model = fields.integer("embedding_length");
  config.num_layers = fields.integer("block_count");
  config.num_heads = fields.integer("attention.head_count");
  check(config.num_heads > 0, ErrorCode::kInvalid, "[model] {}: attention.head_count is {}.", where, config.num_heads);
  config.num_kv_heads = fields.integer("attention.head_count_kv", config.num_heads);
  config.head_dim = fields.integer("attention.key_length", config.d_model / config.num_heads);
  config.d_ffn = fields.integer("feed_forward_length");
  config.max_positions = fields.integer("context_length");
}

std::vector<double> values_of(const GgufFile& file, const std::string& name) {
  for (const StoredTensor& tensor : file.tensors()) {
    if (tensor.name != name) continue;
    std::vector<float> values(static_cast<size_t>(tensor.num_values()));
    to_float(tensor, 0, tensor.num_values(), values.data());
    return {values.begin(), values.end()};
  }
  return {};
}

// llama3 and longrope come as a tensor of divisors, one a frequency.
void read_gguf_rope(const GgufFile& file, const Fields& fields, ModelConfig& config) {
  RopeConfig& rope = config.rope;
  rope.theta = fields.real("rope.freq_base", 10000.0);
  config.rotary_dim = fields.integer("rope.dimension_count", config.head_dim);
  rope.scaling = rope_scaling_of(fields.text("rope.scaling.type", "none"), file.path().string());
  rope.factor = fields.real("rope.scaling.factor", 1.0);
  rope.original_positions = static_cast<double>(fields.integer("rope.scaling.original_context_length", config.max_positions));
  if (fields.has("rope.scaling.attn_factor")) rope.attention_factor = fields.real("rope.scaling.attn_factor", 1.0);
  rope.divisors = values_of(file, "rope_freqs.weight");
  const std::vector<double> short_factors = values_of(file, "rope_factors_short.weight");
  if (!short_factors.empty()) rope.divisors = short_factors, rope.scaling = RopeScaling::kLongRope;
  config.local_rope = config.rope;
}

}  // namespace

ModelConfig config_from_gguf(const GgufFile& file, const Family& family) {
  const Fields fields(file, family.gguf_architecture);
  const std::string where = file.path().string();
  ModelConfig config;
  read_sizes(fields, config, where);
  config.norm_epsilon = fields.real("attention.layer_norm_rms_epsilon", fields.real("attention.layer_norm_epsilon", 1e-5));
  config.parallel_residual = fields.flag("use_parallel_residual", false);
  if (fields.has("attention.sliding_window")) config.sliding_window = fields.integer("attention.sliding_window");
  config.attention_soft_cap = fields.real("attn_logit_softcapping", 0.0);
  config.logit_soft_cap = fields.real("final_logit_softcapping", 0.0);
  config.activation = family.gguf_activation;
  read_gguf_rope(file, fields, config);
  config.vocab_size = static_cast<int64_t>(file.get_strings("tokenizer.ggml.tokens").size());
  config.tied_embeddings =
      std::none_of(file.tensors().begin(), file.tensors().end(), [](const StoredTensor& t) { return t.name == "output.weight"; });
  return finish_config(std::move(config), family, where);
}

}  // namespace fi
