#include "fi/compare/models.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "fi/core/error.h"
#include "fi/core/hash.h"
#include "fi/hub/cache.h"
#include "fi/model/decoder_layer.h"
#include "fi/model/load_model.h"

namespace fi {
namespace {

// Cosine of corresponding matrices above which one model was made from the other by further training; unrelated models have about
// 0.
constexpr double kFineTuneCosine = 0.9;
constexpr double kSiblingCosine = 0.3;
constexpr size_t kFirstTokens = 12;

bool same_files(const ModelFiles& a, const ModelFiles& b) {
  return a.weights.size() == b.weights.size() &&
         std::equal(a.weights.begin(), a.weights.end(), b.weights.begin(),
                    [](const auto& x, const auto& y) { return std::filesystem::equivalent(x, y); });
}

/// Mean cosine of the matrices of all blocks, and whether every weight of the models is equal.
struct WeightLikeness {
  double cosine = 0.0;
  bool equal = true;
};

bool equal_or_absent(const at::Tensor& a, const at::Tensor& b) {
  return a.defined() == b.defined() && (!a.defined() || at::equal(a, b));
}

bool equal_matrices(const WeightMatrixPtr& a, const WeightMatrixPtr& b) {
  return a == b || (a && b && at::equal(a->to_float(), b->to_float()));
}

bool equal_vectors(const DecoderLayer& a, const DecoderLayer& b) {
  std::vector<at::Tensor> left = a.norms(), right = b.norms();
  a.visit_linears([&](const char*, const Linear& linear) { left.push_back(linear.bias); });
  b.visit_linears([&](const char*, const Linear& linear) { right.push_back(linear.bias); });
  return std::equal(left.begin(), left.end(), right.begin(), right.end(), equal_or_absent);
}

WeightLikeness compare_weights(const Decoder& base, const Decoder& target) {
  WeightLikeness likeness;
  double sum = 0.0;
  int64_t count = 0;
  for (size_t i = 0; i < base.parts().layers.size(); ++i) {
    std::vector<WeightMatrixPtr> left, right;
    base.parts().layers[i]->visit_linears([&](const char*, const Linear& linear) { left.push_back(linear.weight); });
    target.parts().layers[i]->visit_linears([&](const char*, const Linear& linear) { right.push_back(linear.weight); });
    for (size_t k = 0; k < left.size(); ++k) {
      const at::Tensor a = left[k]->to_float().flatten();
      const at::Tensor b = right[k]->to_float().flatten();
      likeness.equal = likeness.equal && at::equal(a, b);
      sum += (a.dot(b) / (a.norm() * b.norm()).clamp_min(1e-12)).item<double>();
      ++count;
    }
    likeness.equal = likeness.equal && equal_vectors(*base.parts().layers[i], *target.parts().layers[i]);
  }
  likeness.cosine = count > 0 ? sum / static_cast<double>(count) : 0.0;
  const Decoder::Parts& a = base.parts();
  const Decoder::Parts& b = target.parts();
  likeness.equal = likeness.equal && equal_matrices(a.embedding, b.embedding) && equal_matrices(a.unembedding, b.unembedding) &&
                   equal_matrices(a.position_embedding, b.position_embedding) &&
                   equal_or_absent(a.final_norm.weight, b.final_norm.weight) &&
                   equal_or_absent(a.final_norm.bias, b.final_norm.bias);
  return likeness;
}

bool same_shape(const ModelConfig& a, const ModelConfig& b) {
  return a.family == b.family && a.num_layers == b.num_layers && a.d_model == b.d_model && a.d_ffn == b.d_ffn &&
         a.num_heads == b.num_heads && a.num_kv_heads == b.num_kv_heads && a.vocab_size == b.vocab_size;
}

void relate(ModelPair& pair) {
  if (pair.target.files.adapter) {
    pair.relation = "adapter";
    pair.relation_note = fmt::format("The target is the base with the adapter {} on top.", pair.target.files.adapter->string());
    return;
  }
  if (!same_shape(pair.base.decoder.config(), pair.target.decoder.config())) {
    pair.relation = "unrelated";
    pair.relation_note = "The models differ in family, depth, width or vocabulary.";
    return;
  }
  const WeightLikeness likeness = compare_weights(pair.base.decoder, pair.target.decoder);
  if (likeness.equal && pair.base.tokenizer->fingerprint() == pair.target.tokenizer->fingerprint()) {
    pair.relation = "identical";
    pair.relation_note = "Every weight of the two models is equal.";
    return;
  }
  pair.relation = likeness.cosine >= kFineTuneCosine ? "fine-tune" : likeness.cosine >= kSiblingCosine ? "sibling" : "unrelated";
  pair.relation_note = fmt::format("The weight matrices have a mean cosine of {:.3f}.", likeness.cosine);
}

int64_t count_parameters(const Decoder& decoder) {
  int64_t count = decoder.parts().embedding->num_values() + decoder.parts().final_norm.weight.numel();
  if (!decoder.config().tied_embeddings) count += decoder.parts().unembedding->num_values();
  for (const auto& layer : decoder.parts().layers) {
    layer->visit_linears([&](const char*, const Linear& linear) {
      count += linear.weight->num_values();
      for (const at::Tensor& part : {linear.bias, linear.lora_a, linear.lora_b}) count += part.defined() ? part.numel() : 0;
    });
    for (const at::Tensor& norm : layer->norms()) count += norm.defined() ? norm.numel() : 0;
  }
  return count;
}

HubOptions hub_options(const CompareOptions& options, const std::string& revision) {
  HubOptions hub{.revision = revision, .offline = options.offline};
  if (!options.cache_dir.empty()) hub.cache_dir = options.cache_dir;
  return hub;
}

}  // namespace

ModelFiles resolve_base(const CompareOptions& options, ProgressSink& progress) {
  check(!options.base_model.empty(), ErrorCode::kUsage, "[options] --base-model is missing; name the base model.");
  return resolve_model(options.base_model, hub_options(options, options.revision_base), progress);
}

PairFiles resolve_pair(const CompareOptions& options, ProgressSink& progress) {
  const ModelFiles base = resolve_base(options, progress);
  const HubOptions hub = hub_options(options, options.revision_target);
  if (is_adapter_folder(options.target_model)) return {base, with_adapter(base, options.target_model)};
  const ModelFiles target = options.target_model.empty() ? base : resolve_model(options.target_model, hub, progress);
  check(!options.target_model.empty() || !options.target_adapter.empty(), ErrorCode::kUsage,
        "[options] --target-model is missing; name the target model, or give --target-adapter.");
  return {base, options.target_adapter.empty() ? target : with_adapter(target, options.target_adapter)};
}

LoadedModel load_base(const CompareOptions& options, ProgressSink& progress) {
  const ModelFiles files = resolve_base(options, progress);
  return {files, load_model(files, {.device = options.device, .quantization = options.quantization}, progress),
          std::make_shared<const Tokenizer>(Tokenizer::load(files))};
}

ModelPair load_pair(const CompareOptions& options, ProgressSink& progress) {
  const PairFiles files = resolve_pair(options, progress);
  const LoadOptions load{.device = options.device, .quantization = options.quantization};
  auto base_tokenizer = std::make_shared<const Tokenizer>(Tokenizer::load(files.base));
  Decoder base = load_model(files.base, load, progress);
  const bool shares = same_files(files.base, files.target);
  Decoder target = !shares                ? load_model(files.target, load, progress)
                   : files.target.adapter ? apply_adapter(base, *files.target.adapter)
                                          : base;
  auto target_tokenizer = shares ? base_tokenizer : std::make_shared<const Tokenizer>(Tokenizer::load(files.target));
  ModelPair pair{.base = {files.base, std::move(base), std::move(base_tokenizer)},
                 .target = {files.target, std::move(target), std::move(target_tokenizer)}};
  relate(pair);
  return pair;
}

ModelIdentity identify(const LoadedModel& model, const std::string& first_prompt) {
  Sha256 hash;
  for (const auto& path : model.files.weights) hash.update(verified_sha256(path));
  if (model.files.adapter) hash.update(sha256_of_file(*model.files.adapter / "adapter_model.safetensors"));
  ModelIdentity identity{.name = model.files.name,
                         .revision = model.files.revision,
                         .sha256 = hash.finish(),
                         .family = model.decoder.config().family};
  if (model.files.adapter) identity.name += " + " + model.files.adapter->filename().string();
  identity.num_layers = model.decoder.config().num_layers;
  identity.d_model = model.decoder.config().d_model;
  identity.num_parameters = count_parameters(model.decoder);
  identity.tokenizer_fingerprint = model.tokenizer->fingerprint();
  const TokenIds ids = model.tokenizer->encode_prompt(first_prompt);
  for (size_t i = 0; i < std::min(ids.size(), kFirstTokens); ++i)
    identity.first_tokens.push_back(model.tokenizer->token_text(ids[i]));
  return identity;
}

}  // namespace fi
