#include "fi/model/adapter_config.h"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "fi/core/error.h"
#include "fi/core/json.h"
#include "fi/io/atomic_file.h"

namespace fi {
namespace {

// Settings that change what an adapter computes and that we do not do. Absent, false, null and empty are the same.
constexpr const char* kUnsupportedKeys[] = {"use_dora",
                                            "lora_bias",
                                            "layer_replication",
                                            "target_parameters",
                                            "use_qalora",
                                            "use_bdlora",
                                            "alora_invocation_tokens",
                                            "arrow_config",
                                            "velora_config",
                                            "monteclora_config",
                                            "kasa_config",
                                            "trainable_token_indices"};
constexpr int64_t kMaxRank = 1 << 16;

bool is_set(const Json& document, const char* key) {
  const auto found = document.find(key);
  if (found == document.end() || found->is_null()) return false;
  if (found->is_boolean()) return found->get<bool>();
  return !((found->is_object() || found->is_array()) && found->empty());
}

std::shared_ptr<const re2::RE2> compile(const std::string& expression, const char* key, const std::string& where) {
  auto compiled = std::make_shared<re2::RE2>(expression, re2::RE2::Quiet);
  check(compiled->ok(), ErrorCode::kUnsupported, "[adapter] {}: {} has the expression '{}', which cannot be read: {}.", where,
        key, expression, compiled->error());
  return compiled;
}

std::optional<ModuleMatch> read_modules(const Json& document, const char* key, const std::string& where) {
  if (!is_set(document, key)) return std::nullopt;
  const Json& value = document[key];
  if (value.is_array()) return ModuleMatch(value.get<std::vector<std::string>>());
  const auto text = value.get<std::string>();
  if (text == "all-linear") return std::nullopt;
  return ModuleMatch(compile(text, key, where));
}

template <typename T>
AdapterConfig::Patterns<T> read_patterns(const Json& document, const char* key, const std::string& where) {
  AdapterConfig::Patterns<T> patterns;
  if (!is_set(document, key)) return patterns;
  check(document[key].is_object(), ErrorCode::kInvalid, "[adapter] {}: {} is no object; re-export the adapter.", where, key);
  for (const auto& [pattern, value] : document[key].items())
    patterns.emplace_back(compile("(.*\\.)?(" + pattern + ")", key, where), value.template get<T>());
  return patterns;
}

template <typename T>
T pattern_value(const AdapterConfig::Patterns<T>& patterns, const std::string& module, T fallback) {
  for (const auto& [expression, value] : patterns) {
    if (re2::RE2::FullMatch(module, *expression)) return value;
  }
  return fallback;
}

void check_supported(const Json& document, const std::string& where) {
  const std::string type = document.value("peft_type", "");
  check(type == "LORA", ErrorCode::kUnsupported, "[adapter] {}: peft_type is '{}', supported is LORA.", where, type);
  for (const char* key : kUnsupportedKeys) {
    check(!is_set(document, key), ErrorCode::kUnsupported, "[adapter] {}: {} is not supported; merge the adapter into its base.",
          where, key);
  }
}

std::set<int64_t> read_layers(const Json& document) {
  if (!is_set(document, "layers_to_transform")) return {};
  const Json& layers = document["layers_to_transform"];
  return layers.is_number_integer() ? std::set{layers.get<int64_t>()} : layers.get<std::set<int64_t>>();
}

void check_sizes(const AdapterConfig& config, const std::string& where) {
  const auto check_rank = [&](int64_t rank) {
    check(rank > 0 && rank <= kMaxRank, ErrorCode::kInvalid,
          "[adapter] {}: a rank is {}, expected 1 to {}; re-export the adapter.", where, rank, kMaxRank);
  };
  const auto check_alpha = [&](double alpha) {
    check(std::isfinite(alpha) && alpha != 0.0, ErrorCode::kInvalid,
          "[adapter] {}: an alpha is {}, with which the adapter changes nothing; re-export it.", where, alpha);
  };
  check_rank(config.rank);
  check_alpha(config.alpha);
  for (const auto& [pattern, rank] : config.rank_patterns) check_rank(rank);
  for (const auto& [pattern, alpha] : config.alpha_patterns) check_alpha(alpha);
}

// The first number in a module's path: "model.layers.3.mlp" is of layer 3.
std::optional<int64_t> layer_of(const std::string& module) {
  for (size_t dot = module.find('.'); dot != std::string::npos; dot = module.find('.', dot + 1)) {
    int64_t layer = 0;
    const char* end = module.data() + module.size();
    const auto [rest, error] = std::from_chars(module.data() + dot + 1, end, layer);
    if (error == std::errc() && rest != end && *rest == '.') return layer;
  }
  return std::nullopt;
}

}  // namespace

bool ModuleMatch::operator()(const std::string& module) const {
  if (expression_) return re2::RE2::FullMatch(module, *expression_);
  return std::any_of(names_.begin(), names_.end(),
                     [&](const std::string& name) { return module == name || module.ends_with("." + name); });
}

bool AdapterConfig::is_target(const std::string& module) const {
  if (excluded(module) || (targets && !(*targets)(module))) return false;
  if (layers.empty()) return true;
  const std::optional<int64_t> layer = layer_of(module);
  return layer && layers.contains(*layer);
}

int64_t AdapterConfig::rank_of(const std::string& module) const { return pattern_value(rank_patterns, module, rank); }

double AdapterConfig::scale_of(const std::string& module) const {
  const auto r = static_cast<double>(rank_of(module));
  return pattern_value(alpha_patterns, module, alpha) / (rank_stabilised ? std::sqrt(r) : r);
}

AdapterConfig read_adapter_config(const std::filesystem::path& path) try {
  const std::string where = path.string();
  const Json document = parse_json(read_file(path, "adapter"), "adapter", where);
  check(document.is_object(), ErrorCode::kInvalid, "[adapter] {} is no JSON object; re-export the adapter.", where);
  check_supported(document, where);
  AdapterConfig config{.rank = document.at("r").get<int64_t>(),
                       .alpha = document.at("lora_alpha").get<double>(),
                       .rank_stabilised = is_set(document, "use_rslora"),
                       .rank_patterns = read_patterns<int64_t>(document, "rank_pattern", where),
                       .alpha_patterns = read_patterns<double>(document, "alpha_pattern", where),
                       .targets = read_modules(document, "target_modules", where),
                       .excluded = read_modules(document, "exclude_modules", where).value_or(ModuleMatch()),
                       .layers = read_layers(document)};
  check_sizes(config, where);
  return config;
} catch (const Json::exception& error) {
  fail(ErrorCode::kInvalid, "[adapter] {}: {}; re-export the adapter.", path.string(), error.what());
}

}  // namespace fi
