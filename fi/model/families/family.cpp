#include "fi/model/families/family.h"

#include <algorithm>
#include <cmath>

#include "fi/core/error.h"

namespace fi {
namespace {

std::string supported_names() {
  std::vector<std::string> names;
  for (const Family& family : families()) names.push_back(family.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

void check_rope(const Json& rope, std::string_view where) {
  const std::string type = rope.value("rope_type", rope.value("type", "default"));
  check(type == "default", ErrorCode::kUnsupported,
        "[model] {}: rope type '{}' is not supported, only default; choose another model.", where, type);
}

// Rotary bases stand in `rope_theta` (older files) or in `rope_parameters` (newer ones, per kind of layer where there are
// several).
void read_rope(const Json& document, ModelConfig& config, std::string_view where) {
  config.rope_theta = document.value("rope_theta", 10000.0);
  config.rope_local_theta = document.value("rope_local_base_freq", 0.0);
  if (document.contains("rope_scaling") && document["rope_scaling"].is_object()) check_rope(document["rope_scaling"], where);
  if (!document.contains("rope_parameters") || !document["rope_parameters"].is_object()) return;
  const Json& parameters = document["rope_parameters"];
  const Json& global = parameters.contains("full_attention") ? parameters["full_attention"] : parameters;
  check_rope(global, where);
  config.rope_theta = global.value("rope_theta", config.rope_theta);
  if (parameters.contains("sliding_attention"))
    config.rope_local_theta = parameters["sliding_attention"].value("rope_theta", 0.0);
}

void read_layer_types(const Json& document, ModelConfig& config) {
  if (document.contains("sliding_window") && document["sliding_window"].is_number_integer()) {
    config.sliding_window = document["sliding_window"].get<int64_t>();
  }
  if (!document.contains("layer_types") || !document["layer_types"].is_array()) return;
  for (const Json& type : document["layer_types"]) config.is_local.push_back(type == "sliding_attention");
}

void check_sizes(const ModelConfig& config, std::string_view where) {
  constexpr int64_t kMaxSize = int64_t{1} << 24;
  for (const int64_t size : {config.vocab_size, config.d_model, config.num_layers, config.num_heads, config.num_kv_heads,
                             config.head_dim, config.d_ffn, config.max_positions}) {
    check(size > 0 && size <= kMaxSize, ErrorCode::kInvalid, "[model] {}: a size is {}, expected 1 to {}; the config is damaged.",
          where, size, kMaxSize);
  }
  check(config.num_heads % config.num_kv_heads == 0 && config.head_dim % 2 == 0, ErrorCode::kInvalid,
        "[model] {}: {} heads over {} key/value heads of width {} do not fit; the config is damaged.", where, config.num_heads,
        config.num_kv_heads, config.head_dim);
  check(config.is_local.empty() || config.is_local.size() == static_cast<size_t>(config.num_layers), ErrorCode::kInvalid,
        "[model] {}: layer_types lists {} layers of {}.", where, config.is_local.size(), config.num_layers);
}

ModelConfig finish(ModelConfig config, const Family& family, std::string_view where) {
  config.family = family.name;
  if (family.adjust != nullptr) family.adjust(config);
  check_sizes(config, where);
  return config;
}

}  // namespace

const std::vector<Family>& families() {
  static const std::vector<Family> all = {llama_family(), qwen2_family(), gemma3_family()};
  return all;
}

const Family& family_of_model_type(const std::string& model_type, std::string_view where) {
  for (const Family& family : families()) {
    if (std::find(family.model_types.begin(), family.model_types.end(), model_type) != family.model_types.end()) return family;
  }
  fail(ErrorCode::kUnsupported, "[model] {}: architecture '{}' is not supported; supported are {}.", where, model_type,
       supported_names());
}

const Family& family_of_gguf(const std::string& architecture, std::string_view where) {
  for (const Family& family : families()) {
    if (family.gguf_architecture == architecture) return family;
  }
  fail(ErrorCode::kUnsupported, "[model] {}: architecture '{}' is not supported; supported are {}.", where, architecture,
       supported_names());
}

ModelConfig config_from_json(const Json& outer, const Family& family, std::string_view where) try {
  const Json& document = outer.contains("text_config") ? outer["text_config"] : outer;
  ModelConfig config;
  config.vocab_size = document.at("vocab_size").get<int64_t>();
  config.d_model = document.at("hidden_size").get<int64_t>();
  config.num_layers = document.at("num_hidden_layers").get<int64_t>();
  config.num_heads = document.at("num_attention_heads").get<int64_t>();
  config.num_kv_heads = document.value("num_key_value_heads", config.num_heads);
  const bool has_head_dim = document.contains("head_dim") && document["head_dim"].is_number_integer();
  check(has_head_dim || config.num_heads > 0, ErrorCode::kInvalid, "[model] {}: num_attention_heads is 0.", where);
  config.head_dim = has_head_dim ? document["head_dim"].get<int64_t>() : config.d_model / config.num_heads;
  config.d_ffn = document.at("intermediate_size").get<int64_t>();
  config.max_positions = document.value("max_position_embeddings", int64_t{2048});
  config.norm_epsilon = document.value("rms_norm_eps", 1e-6);
  config.tied_embeddings = document.value("tie_word_embeddings", family.scales_embedding);
  if (document.contains("query_pre_attn_scalar"))
    config.query_scale = 1.0 / std::sqrt(document["query_pre_attn_scalar"].get<double>());
  read_rope(document, config, where);
  read_layer_types(document, config);
  return finish(std::move(config), family, where);
} catch (const Json::exception& error) {
  fail(ErrorCode::kInvalid, "[model] {}: {}; download the model again.", where, error.what());
}

ModelConfig config_from_gguf(const GgufFile& file, const Family& family) {
  const std::string prefix = family.gguf_architecture + ".";
  ModelConfig config;
  config.d_model = file.get_int(prefix + "embedding_length");
  config.num_layers = file.get_int(prefix + "block_count");
  config.num_heads = file.get_int(prefix + "attention.head_count");
  check(config.num_heads > 0, ErrorCode::kInvalid, "[model] {}: attention.head_count is {}.", file.path().string(),
        config.num_heads);
  config.num_kv_heads =
      file.has(prefix + "attention.head_count_kv") ? file.get_int(prefix + "attention.head_count_kv") : config.num_heads;
  const std::string key_length = prefix + "attention.key_length";
  config.head_dim = file.has(key_length) ? file.get_int(key_length) : config.d_model / config.num_heads;
  config.d_ffn = file.get_int(prefix + "feed_forward_length");
  config.max_positions = file.get_int(prefix + "context_length");
  config.norm_epsilon = file.get_double(prefix + "attention.layer_norm_rms_epsilon");
  if (file.has(prefix + "rope.freq_base")) config.rope_theta = file.get_double(prefix + "rope.freq_base");
  config.rope_local_theta = 0.0;
  if (file.has(prefix + "attention.sliding_window")) config.sliding_window = file.get_int(prefix + "attention.sliding_window");
  const std::string scaling = prefix + "rope.scaling.type";
  check(!file.has(scaling) || file.get_string(scaling) == "none", ErrorCode::kUnsupported,
        "[model] {}: rope scaling '{}' is not supported.", file.path().string(),
        file.has(scaling) ? file.get_string(scaling) : "");
  config.vocab_size = static_cast<int64_t>(file.get_strings("tokenizer.ggml.tokens").size());
  config.tied_embeddings =
      std::none_of(file.tensors().begin(), file.tensors().end(), [](const StoredTensor& t) { return t.name == "output.weight"; });
  return finish(std::move(config), family, file.path().string());
}

}  // namespace fi
