#include "fi/model/read_config.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <map>

#include "fi/core/error.h"
#include "fi/model/read_rope.h"

namespace fi {
namespace {

// The first of the keys that holds a number; families spell the same field differently.
template <typename T>
T number(const Json& document, std::initializer_list<const char*> keys, std::optional<T> fallback = std::nullopt) {
  for (const char* key : keys) {
    if (document.contains(key) && document[key].is_number()) return document[key].get<T>();
  }
  if (fallback) return *fallback;
  return document.at(*keys.begin()).get<T>();  // throws what is missing
}

Activation activation_of(const Json& document, std::string_view where) {
  static const std::map<std::string, Activation> table = {
      {"silu", Activation::kSilu},         {"swish", Activation::kSilu},         {"gelu", Activation::kGelu},
      {"gelu_new", Activation::kGeluTanh}, {"gelu_fast", Activation::kGeluTanh}, {"gelu_pytorch_tanh", Activation::kGeluTanh}};
  for (const char* key : {"hidden_activation", "hidden_act", "activation_function"}) {
    if (!document.contains(key) || !document[key].is_string()) continue;
    const auto found = table.find(document[key].get<std::string>());
    if (found != table.end()) return found->second;
    std::vector<std::string> known;
    for (const auto& [name, activation] : table) known.push_back(name);
    fail(ErrorCode::kUnsupported, "[model] {}: activation '{}' is not supported; supported are {}.", where,
         document[key].get<std::string>(), fmt::join(known, ", "));
  }
  return Activation::kSilu;
}

void read_sizes(const Json& document, ModelConfig& config, std::string_view where) {
  config.vocab_size = number<int64_t>(document, {"vocab_size"});
  config.d_model = number<int64_t>(document, {"hidden_size", "n_embd"});
  config.num_layers = number<int64_t>(document, {"num_hidden_layers", "n_layer"});
  config.num_heads = number<int64_t>(document, {"num_attention_heads", "n_head"});
  config.num_kv_heads = number<int64_t>(document, {"num_key_value_heads"}, config.num_heads);
  check(config.num_heads > 0, ErrorCode::kInvalid, "[model] {}: num_attention_heads is {}.", where, config.num_heads);
  config.head_dim = number<int64_t>(document, {"head_dim"}, config.d_model / config.num_heads);
  const bool is_four_times = document.contains("n_inner") && document["n_inner"].is_null();
  config.d_ffn = is_four_times ? 4 * config.d_model
                               : number<int64_t>(document, {"intermediate_size", "n_inner"},
                                                 document.contains("n_embd") ? std::optional(4 * config.d_model) : std::nullopt);
  config.max_positions = number<int64_t>(document, {"max_position_embeddings", "n_positions"}, int64_t{2048});
}

void read_layer_kinds(const Json& document, ModelConfig& config) {
  if (document.contains("sliding_window") && document["sliding_window"].is_number_integer())
    config.sliding_window = document["sliding_window"].get<int64_t>();
  if (document.contains("layer_types") && document["layer_types"].is_array()) {
    for (const Json& type : document["layer_types"]) config.is_local.push_back(type == "sliding_attention");
  }
  if (document.contains("no_rope_layers") && document["no_rope_layers"].is_array()) {
    for (const Json& has_rope : document["no_rope_layers"]) config.has_rope.push_back(has_rope != 0);  // 1: has
  }
}

void check_sizes(const ModelConfig& config, std::string_view where) {
  constexpr int64_t kMaxSize = int64_t{1} << 24;
  for (const int64_t size : {config.vocab_size, config.d_model, config.num_layers, config.num_heads, config.num_kv_heads,
                             config.head_dim, config.d_ffn, config.max_positions}) {
    check(size > 0 && size <= kMaxSize, ErrorCode::kInvalid, "[model] {}: a size is {}, expected 1 to {}; the config is damaged.",
          where, size, kMaxSize);
  }
  check(config.num_heads % config.num_kv_heads == 0 && config.rotary_dim % 2 == 0 && config.rotary_dim <= config.head_dim,
        ErrorCode::kInvalid,
        "[model] {}: {} heads over {} key/value heads of width {}, {} of it rotated, do not fit; the config is damaged.", where,
        config.num_heads, config.num_kv_heads, config.head_dim, config.rotary_dim);
  for (const auto* list : {&config.is_local, &config.has_rope}) {
    check(list->empty() || list->size() == static_cast<size_t>(config.num_layers), ErrorCode::kInvalid,
          "[model] {}: a list of layers has {} entries for {} layers.", where, list->size(), config.num_layers);
  }
  for (const RopeConfig* rope : {&config.rope, &config.local_rope}) {
    check(rope->divisors.empty() || rope->divisors.size() == static_cast<size_t>(config.rotary_dim / 2), ErrorCode::kInvalid,
          "[model] {}: {} rope factors for {} frequencies; the config is damaged.", where, rope->divisors.size(),
          config.rotary_dim / 2);
    check(rope->theta > 0.0 && rope->factor > 0.0, ErrorCode::kInvalid, "[model] {}: rope theta is {}, factor {}.", where,
          rope->theta, rope->factor);
  }
}

}  // namespace

ModelConfig finish_config(ModelConfig config, const Family& family, std::string_view where) {
  config.family = family.name;
  if (family.adjust != nullptr) family.adjust(config);
  // Beyond the first training's length these scalings depend on the length of the text, which is not known when it begins.
  const bool depends_on_length = config.rope.scaling == RopeScaling::kLongRope || config.rope.scaling == RopeScaling::kDynamic;
  if (depends_on_length && config.rope.original_positions > 0.0)
    config.max_positions = std::min(config.max_positions, static_cast<int64_t>(config.rope.original_positions));
  check_sizes(config, where);
  return config;
}

ModelConfig config_from_json(const Json& outer, const Family& family, std::string_view where) try {
  const Json& document = outer.contains("text_config") ? outer["text_config"] : outer;
  ModelConfig config;
  read_sizes(document, config, where);
  config.norm_epsilon = number<double>(document, {"rms_norm_eps", "layer_norm_eps", "layer_norm_epsilon", "norm_eps"},
                                       config.norm == NormKind::kRms ? 1e-6 : 1e-5);
  config.activation = activation_of(document, where);
  config.parallel_residual = document.value("use_parallel_residual", family.qkv_by_head);
  config.tied_embeddings = document.value("tie_word_embeddings", family.tied_by_default);
  if (document.contains("query_pre_attn_scalar"))
    config.query_scale = 1.0 / std::sqrt(document["query_pre_attn_scalar"].get<double>());
  config.attention_soft_cap = number<double>(document, {"attn_logit_softcapping"}, 0.0);
  config.logit_soft_cap = number<double>(document, {"final_logit_softcapping"}, 0.0);
  read_rope(document, config, where);
  read_layer_kinds(document, config);
  return finish_config(std::move(config), family, where);
} catch (const Json::exception& error) {
  fail(ErrorCode::kInvalid, "[model] {}: {}; download the model again.", where, error.what());
}

}  // namespace fi
