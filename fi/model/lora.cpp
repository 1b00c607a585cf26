#include <map>

#include "fi/core/error.h"
#include "fi/io/safetensors.h"
#include "fi/model/adapter_config.h"
#include "fi/model/decoder_layer.h"
#include "fi/model/families/family.h"
#include "fi/model/load_model.h"

namespace fi {
namespace {

constexpr const char* kEmbedding = "model.embed_tokens";
constexpr const char* kUnembedding = "lm_head";
constexpr const char* kFinalNorm = "model.norm";
constexpr size_t kMaxListed = 5;

/// The tensors of an adapter by the path of their module, less those that were taken.
class AdapterTensors {
 public:
  explicit AdapterTensors(const std::filesystem::path& path) : path_(path), file_(SafetensorsFile::open(path)) {
    constexpr std::string_view kPrefix = "base_model.model.";
    for (const StoredTensor& tensor : file_.tensors()) {
      const bool is_prefixed = tensor.name.starts_with(kPrefix);
      by_name_.emplace(is_prefixed ? tensor.name.substr(kPrefix.size()) : tensor.name, &tensor);
    }
  }

  const std::string& path() const { return path_; }
  bool has(const std::string& name) const { return by_name_.contains(name); }

  /// In fp32; kIncompatible if the shape is not `shape`.
  at::Tensor take(const std::string& name, const std::vector<int64_t>& shape, at::Device device) {
    const auto found = by_name_.find(name);
    check(found != by_name_.end(), ErrorCode::kInvalid, "[adapter] {}: tensor '{}' is missing; re-export the adapter.", path_,
          name);
    const StoredTensor& stored = *found->second;
    check(stored.shape == shape, ErrorCode::kIncompatible,
          "[adapter] {}: tensor '{}' has shape [{}], but base and adapter_config.json ask for [{}]; it belongs to another base.",
          path_, name, fmt::join(stored.shape, ", "), fmt::join(shape, ", "));
    at::Tensor tensor = at::empty(shape, at::kFloat);
    to_float(stored, 0, stored.num_values(), tensor.data_ptr<float>());
    by_name_.erase(found);
    return tensor.to(device);
  }

  void check_all_taken() const {
    std::vector<std::string> names;
    for (const auto& [name, tensor] : by_name_) names.push_back(name);
    const size_t num_names = names.size();
    names.resize(std::min(num_names, kMaxListed));
    check(num_names == 0, ErrorCode::kInvalid,
          "[adapter] {}: {} tensors fit nothing in the base or in target_modules: {}{}; it belongs to another base.", path_,
          num_names, fmt::join(names, ", "), num_names > kMaxListed ? ", ..." : "");
  }

 private:
  std::string path_;
  SafetensorsFile file_;
  std::map<std::string, const StoredTensor*> by_name_;
};

/// The two factors of a module, B A times `scale` being what it adds to the module's matrix.
struct Factors {
  at::Tensor a;  // [rank, d_in]
  at::Tensor b;  // [d_out, rank]
  double scale = 0.0;
};

std::optional<Factors> take_factors(AdapterTensors& tensors, const AdapterConfig& config, const std::string& module,
                                    const WeightMatrix& weight, const std::string& a_name, const std::string& b_name) {
  if (!config.is_target(module)) return std::nullopt;  // factors that it has all the same are left over, which is an error
  if (!config.targets && !tensors.has(a_name) && !tensors.has(b_name)) return std::nullopt;
  const int64_t rank = config.rank_of(module);
  const bool is_embedding = a_name.ends_with("lora_embedding_A");  // of the transposed matrix
  const int64_t d_in = is_embedding ? weight.d_out() : weight.d_in(), d_out = is_embedding ? weight.d_in() : weight.d_out();
  return Factors{tensors.take(a_name, {rank, d_in}, weight.device()), tensors.take(b_name, {d_out, rank}, weight.device()),
                 config.scale_of(module)};
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

// Checkpoints of some families store norm weights less an offset that the decoder has added.
double norm_offset_of(const std::string& family_name) {
  for (const Family& family : families()) {
    if (family.name == family_name) return family.norm_offset;
  }
  return 0.0;
}

}  // namespace

Decoder apply_adapter(const Decoder& base, const std::filesystem::path& adapter_folder) {
  const AdapterConfig config = read_adapter_config(adapter_folder / "adapter_config.json");
  AdapterTensors tensors(adapter_folder / "adapter_model.safetensors");
  Decoder::Parts parts = base.parts();
  for (size_t i = 0; i < parts.layers.size(); ++i) {
    auto layer = std::make_shared<DecoderLayer>(*parts.layers[i]);  // copies tensors' handles, not their values
    layer->visit_linears([&](const char* name, Linear& linear) {
      adapt_linear(linear, tensors, config, fmt::format("model.layers.{}.{}", i, name));
    });
    parts.layers[i] = std::move(layer);
  }
  parts.unembedding = adapted_unembedding(parts.unembedding, tensors, config);
  parts.embedding = adapted_embedding(parts.embedding, tensors, config);
  if (const std::string norm = fmt::format("{}.weight", kFinalNorm); tensors.has(norm)) {
    const at::Tensor& old = parts.final_norm.weight;
    parts.final_norm.weight = tensors.take(norm, old.sizes().vec(), old.device()).add_(norm_offset_of(parts.config.family));
  }
  tensors.check_all_taken();
  return Decoder(std::move(parts));
}

}  // namespace fi
