#include "fi/model/load_model.h"

#include <cmath>
#include <map>
#include <set>

#include "fi/core/error.h"
#include "fi/core/json.h"
#include "fi/io/atomic_file.h"
#include "fi/io/safetensors.h"
#include "fi/model/decoder_layer.h"

namespace fi {
namespace {

struct AdapterConfig {
  int64_t rank = 8;
  double alpha = 8.0;
  bool rank_stabilised = false;  // scale alpha / sqrt(r) (Kalajdzievski, 2023)
  Json rank_pattern = Json::object();
  Json alpha_pattern = Json::object();
};

/// A pattern names modules by the end of their path, or by the whole path.
template <typename T>
T pattern_value(const Json& pattern, const std::string& module, T fallback) {
  for (const auto& [key, value] : pattern.items()) {
    if (module == key || module.ends_with("." + key)) return value.template get<T>();
  }
  return fallback;
}

AdapterConfig read_config(const std::filesystem::path& path) try {
  const Json document = parse_json(read_file(path, "adapter"), "adapter", path.string());
  check(document.value("peft_type", "") == "LORA", ErrorCode::kUnsupported, "[adapter] {}: peft_type is '{}', supported is LORA.",
        path.string(), document.value("peft_type", ""));
  check(!document.value("use_dora", false), ErrorCode::kUnsupported,
        "[adapter] {}: DoRA is not supported; merge the adapter first.", path.string());
  check(document.value("bias", "none") == "none", ErrorCode::kUnsupported, "[adapter] {}: trained biases are not supported.",
        path.string());
  AdapterConfig config{.rank = document.at("r").get<int64_t>(),
                       .alpha = document.at("lora_alpha").get<double>(),
                       .rank_stabilised = document.value("use_rslora", false)};
  if (document.contains("rank_pattern") && document["rank_pattern"].is_object()) config.rank_pattern = document["rank_pattern"];
  if (document.contains("alpha_pattern") && document["alpha_pattern"].is_object())
    config.alpha_pattern = document["alpha_pattern"];
  return config;
} catch (const Json::exception& error) {
  fail(ErrorCode::kInvalid, "[adapter] {}: {}; re-export the adapter.", path.string(), error.what());
}

std::string known_tensor_name(std::string name) {
  constexpr std::string_view kPrefix = "base_model.model.";
  if (name.starts_with(kPrefix)) name.erase(0, kPrefix.size());
  return name;
}

at::Tensor read_tensor(const StoredTensor& stored) {
  at::Tensor tensor = at::empty(stored.shape, at::kFloat);
  to_float(stored, 0, stored.num_values(), tensor.data_ptr<float>());
  return tensor;
}

/// The adapter's factors by canonical name, with what was used.
class Factors {
 public:
  Factors(const std::filesystem::path& path) : path_(path), file_(SafetensorsFile::open(path)) {
    for (const StoredTensor& tensor : file_.tensors()) by_name_.emplace(known_tensor_name(tensor.name), &tensor);
  }

  void add_to(Linear& linear, const std::string& module, const AdapterConfig& config) {
    const auto a = by_name_.find(module + ".lora_A.weight");
    const auto b = by_name_.find(module + ".lora_B.weight");
    check((a == by_name_.end()) == (b == by_name_.end()), ErrorCode::kInvalid,
          "[adapter] {}: module '{}' has only one of lora_A and lora_B.", path_.string(), module);
    if (a == by_name_.end()) return;
    const auto rank = pattern_value(config.rank_pattern, module, config.rank);
    const double alpha = pattern_value(config.alpha_pattern, module, config.alpha);
    check(a->second->shape == std::vector<int64_t>{rank, linear.weight->d_in()} &&
              b->second->shape == std::vector<int64_t>{linear.weight->d_out(), rank},
          ErrorCode::kIncompatible,
          "[adapter] {}: module '{}' has factors [{}] and [{}], expected [{}, {}] and [{}, {}]; it belongs to another base.",
          path_.string(), module, fmt::join(a->second->shape, ", "), fmt::join(b->second->shape, ", "), rank,
          linear.weight->d_in(), linear.weight->d_out(), rank);
    linear.lora_a = read_tensor(*a->second).to(linear.weight->device());
    linear.lora_b = read_tensor(*b->second).to(linear.weight->device());
    linear.lora_scale = config.rank_stabilised ? alpha / std::sqrt(static_cast<double>(rank)) : alpha / static_cast<double>(rank);
    by_name_.erase(a);
    by_name_.erase(module + ".lora_B.weight");
  }

  void check_all_used() const {
    std::vector<std::string> names;
    for (const auto& [name, tensor] : by_name_) names.push_back(name);
    check(names.empty(), ErrorCode::kInvalid,
          "[adapter] {}: {} tensors fit nothing in the base, such as '{}'; it belongs to another base.", path_.string(),
          names.size(), names.empty() ? "" : names.front());
  }

 private:
  std::filesystem::path path_;
  SafetensorsFile file_;
  std::map<std::string, const StoredTensor*> by_name_;
};

}  // namespace

Decoder apply_adapter(const Decoder& base, const std::filesystem::path& adapter_folder) {
  const AdapterConfig config = read_config(adapter_folder / "adapter_config.json");
  Factors factors(adapter_folder / "adapter_model.safetensors");
  Decoder::Parts parts = base.parts();
  for (size_t i = 0; i < parts.layers.size(); ++i) {
    auto layer = std::make_shared<DecoderLayer>(*parts.layers[i]);  // copies tensors' handles, not their values
    layer->visit_linears(
        [&](const char* name, Linear& linear) { factors.add_to(linear, fmt::format("model.layers.{}.{}", i, name), config); });
    parts.layers[i] = std::move(layer);
  }
  factors.check_all_used();
  return Decoder(std::move(parts));
}

}  // namespace fi
