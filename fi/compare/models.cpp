#include "fi/compare/models.h"

#include <algorithm>
#include <filesystem>

#include "fi/compare/provenance.h"
#include "fi/core/error.h"
#include "fi/core/hash.h"
#include "fi/hub/cache.h"
#include "fi/model/decoder_layer.h"
#include "fi/model/load_model.h"

namespace fi {
namespace {

constexpr size_t kFirstTokens = 12;

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

BothModels load_both(const CompareOptions& options, ProgressSink& progress) {
  const PairFiles files = resolve_pair(options, progress);
  const LoadOptions load{.device = options.device, .quantization = options.quantization};
  auto base_tokenizer = std::make_shared<const Tokenizer>(Tokenizer::load(files.base));
  Decoder base = load_model(files.base, load, progress);
  const bool shares = same_files(files.base, files.target);
  Decoder target = !shares                ? load_model(files.target, load, progress)
                   : files.target.adapter ? apply_adapter(base, *files.target.adapter)
                                          : base;
  auto target_tokenizer = shares ? base_tokenizer : std::make_shared<const Tokenizer>(Tokenizer::load(files.target));
  return {.base = {files.base, std::move(base), std::move(base_tokenizer)},
          .target = {files.target, std::move(target), std::move(target_tokenizer)}};
}

ModelPair load_pair(const CompareOptions& options, ProgressSink& progress) {
  BothModels both = load_both(options, progress);
  ModelPair pair{.base = std::move(both.base), .target = std::move(both.target)};
  Provenance provenance = examine(pair.base.files, *pair.base.tokenizer, pair.target.files, *pair.target.tokenizer, progress);
  pair.relation = std::move(provenance.relation);
  pair.relation_note = std::move(provenance.relation_note);
  pair.weight_changes = weight_changes(provenance);
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
