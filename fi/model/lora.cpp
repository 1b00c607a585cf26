#include <algorithm>
#include <map>
#include <set>

#include "fi/core/error.h"
#include "fi/io/safetensors.h"
#include "fi/model/adapter_config.h"
#include "fi/model/canonical_tensors.h"
#include "fi/model/decoder_layer.h"
#include "fi/model/families/family.h"
#include "fi/model/load_model.h"

namespace fi {
namespace {

constexpr const char* kEmbedding = "model.embed_tokens";
constexpr const char* kUnembedding = "lm_head";
constexpr const char* kFinalNorm = "model.norm";
constexpr size_t kMaxListed = 5;

const Family& family_named(const std::string& name) {
  const auto found = std::find_if(families().begin(), families().end(), [&](const Family& f) { return f.name == name; });
  invariant(found != families().end(), "[adapter] family '{}' is not listed.", name);
  return *found;
}

/// The tensors of an adapter by canonical name, less those that were taken. What it holds for a fused matrix is cut apart.
class AdapterTensors {
 public:
  AdapterTensors(const std::filesystem::path& path, const Family& family, const ModelConfig& config)
      : path_(path), family_(family), file_(SafetensorsFile::open(path)) {
    constexpr std::string_view kPrefix = "base_model.model.";
    std::vector<TensorView> views;
    for (const StoredTensor& tensor : file_.tensors()) {
      const bool is_prefixed = tensor.name.starts_with(kPrefix);
      views.push_back({.name = is_prefixed ? tensor.name.substr(kPrefix.size()) : tensor.name, .stored = tensor});
    }
    for (TensorView& view : canonical_tensors(std::move(views), family, config, /*is_gguf=*/false)) {
      std::string name = view.name;
      by_name_.emplace(std::move(name), std::move(view));
    }
  }

  const Family& family() const { return family_; }
  bool has(const std::string& name) const { return by_name_.contains(name); }

  /// In fp32; kIncompatible if the shape is not `shape`.
  at::Tensor take(const std::string& name, const std::vector<int64_t>& shape, at::Device device) {
    const auto found = by_name_.find(name);
    check(found != by_name_.end(), ErrorCode::kInvalid, "[adapter] {}: tensor '{}' is missing; re-export the adapter.", path_,
          name);
    const TensorView& view = found->second;
    check(view.shape() == shape, ErrorCode::kIncompatible,
          "[adapter] {}: tensor '{}' has shape [{}], but base and adapter_config.json ask for [{}]; it belongs to another base.",
          path_, name, fmt::join(view.shape(), ", "), fmt::join(shape, ", "));
    at::Tensor tensor = view.to_float();
    by_name_.erase(found);
    return tensor.to(device);
  }

  void check_all_taken() const {
    std::set<std::string> names;
    for (const auto& [name, view] : by_name_) names.insert(view.stored.name);
    const size_t num_names = names.size();
    while (names.size() > kMaxListed) names.erase(std::prev(names.end()));
    check(num_names == 0, ErrorCode::kInvalid,
          "[adapter] {}: {} tensors fit nothing in the base or in target_modules: {}{}; it belongs to another base.", path_,
          num_names, fmt::join(names, ", "), num_names > kMaxListed ? ", ..." : "");
  }

 private:
  std::string path_;
  const Family& family_;
  SafetensorsFile file_;
  std::map<std::string, TensorView> by_name_;
};

/// The two factors of a module, B A times `scale` being what it adds to the module's matrix.
struct Factors {
  at::Tensor a;  // [rank, d_in]
  at::Tensor b;  // [d_out, rank]
  double scale = 0.0;
};

std::optional<Factors> take_factors(AdapterTensors& tensors, const AdapterConfig& config, const std::string& module,
                                    const WeightMatrix& weight, const std::string& a_name, const std::string& b_name) {
  // What adapter_config.json speaks of. GPT-NeoX's head is embed_out in its files, lm_head in newer versions of its code.
  const bool is_head_by_canonical_name = module == kUnembedding && config.is_target(module);
  const std::string original = is_head_by_canonical_name ? module : original_module(module, tensors.family());
  if (!config.is_target(original)) return std::nullopt;  // factors that it has all the same are left over, which is an error
  if (!config.targets && !tensors.has(a_name) && !tensors.has(b_name)) return std::nullopt;
  const int64_t rank = config.rank_of(original);
  const bool is_embedding = a_name.ends_with("lora_embedding_A");  // of the transposed matrix
  const int64_t d_in = is_embedding ? weight.d_out() : weight.d_in(), d_out = is_embedding ? weight.d_in() : weight.d_out();
  return Factors{tensors.take(a_name, {rank, d_in}, weight.device()), tensors.take(b_name, {d_out, rank}, weight.device()),
                 config.scale_of(original)};
}

// Trained as a whole (modules_to_save).
WeightMatrixPtr take_matrix(AdapterTensors& tensors, const std::string& name, const WeightMatrix& like) {
  return hold_dense(tensors.take(name, {like.d_out(), like.d_in()}, like.device()));
}

void adapt_linear(Linear& linear, AdapterTensors& tensors, const AdapterConfig& config, const std::string& module) {
  if (tensors.has(module + ".weight")) {
    linear.weight = take_matrix(tensors, module + ".weight", *linear.weight);
  } else if (const auto factors =
                 take_factors(tensors, config, module, *linear.weight, module + ".lora_A.weight", module + ".lora_B.weight")) {
    linear.lora_a = factors->a;
    linear.lora_b = factors->b;
    linear.lora_scale = factors->scale;
  }
  // PEFT calls the original part of a module with factors its base layer.
  for (const std::string& name : {module + ".bias", module + ".base_layer.bias"}) {
    if (tensors.has(name) && linear.bias.defined())
      linear.bias = tensors.take(name, {linear.weight->d_out()}, linear.weight->device());
  }
}

WeightMatrixPtr adapted_embedding(const WeightMatrixPtr& embedding, AdapterTensors& tensors, const AdapterConfig& config) {
  const std::string module = kEmbedding;
  if (tensors.has(module + ".weight")) return take_matrix(tensors, module + ".weight", *embedding);
  const auto factors =
      take_factors(tensors, config, module, *embedding, module + ".lora_embedding_A", module + ".lora_embedding_B");
  if (!factors) return embedding;
  return hold_dense(embedding->to_float() + factors->scale * at::matmul(factors->b, factors->a).t());
}

WeightMatrixPtr adapted_unembedding(const WeightMatrixPtr& unembedding, AdapterTensors& tensors, const AdapterConfig& config) {
  const std::string module = kUnembedding;
  if (tensors.has(module + ".weight")) return take_matrix(tensors, module + ".weight", *unembedding);
  const auto factors = take_factors(tensors, config, module, *unembedding, module + ".lora_A.weight", module + ".lora_B.weight");
  if (!factors) return unembedding;
  return hold_dense(unembedding->to_float() + factors->scale * at::matmul(factors->b, factors->a));
}

// A norm trained as a whole (modules_to_save), or its bias alone.
void adapt_norm(Norm& norm, AdapterTensors& tensors, const std::string& module) {
  const at::Tensor old = norm.weight;
  if (const std::string name = module + ".weight"; tensors.has(name)) {
    norm.weight = tensors.take(name, old.sizes().vec(), old.device());
    if (tensors.family().norm_offset != 0.0) norm.weight = norm.weight + tensors.family().norm_offset;
  }
  if (const std::string name = module + ".bias"; norm.bias.defined() && tensors.has(name))
    norm.bias = tensors.take(name, old.sizes().vec(), old.device());
}

void adapt_layer(DecoderLayer& layer, AdapterTensors& tensors, const AdapterConfig& config, size_t index) {
  const std::string prefix = fmt::format("model.layers.{}.", index);
  layer.visit_linears([&](const char* name, Linear& linear) { adapt_linear(linear, tensors, config, prefix + name); });
  layer.visit_norms([&](const char* name, Norm& norm) { adapt_norm(norm, tensors, prefix + name); });
}

}  // namespace

Decoder apply_adapter(const Decoder& base, const std::filesystem::path& adapter_folder) {
  const AdapterConfig config = read_adapter_config(adapter_folder / "adapter_config.json");
  Decoder::Parts parts = base.parts();
  AdapterTensors tensors(adapter_folder / "adapter_model.safetensors", family_named(parts.config.family), parts.config);
  for (size_t i = 0; i < parts.layers.size(); ++i) {
    auto layer = std::make_shared<DecoderLayer>(*parts.layers[i]);  // copies tensors' handles, not their values
    adapt_layer(*layer, tensors, config, i);
    parts.layers[i] = std::move(layer);
  }
  parts.unembedding = adapted_unembedding(parts.unembedding, tensors, config);
  parts.embedding = adapted_embedding(parts.embedding, tensors, config);
  if (const std::string positions = "model.embed_positions.weight"; tensors.has(positions))
    parts.position_embedding = take_matrix(tensors, positions, *parts.position_embedding);
  adapt_norm(parts.final_norm, tensors, kFinalNorm);
  tensors.check_all_taken();
  return Decoder(std::move(parts));
}

}  // namespace fi
