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
    layer->visit_norms([&](const char*, const Norm& norm) {
      for (const at::Tensor& part : {norm.weight, norm.bias}) count += part.defined() ? part.numel() : 0;
    });
  }
  return count;
}

HubOptions hub_options(const CompareOptions& options, const std::string& revision) {
  HubOptions hub{.revision = revision, .offline = options.offline};
  if (!options.cache_dir.empty()) hub.cache_dir = options.cache_dir;
  return hub;
}

// Of a folder its own name, of a cached repository (models--org--name/snapshots/<commit>) that of the repository.
std::string adapter_name(const std::filesystem::path& folder) {
  constexpr std::string_view kPrefix = "models--";
  std::string name = folder.parent_path().parent_path().filename().string();
  if (folder.parent_path().filename() != "snapshots" || !name.starts_with(kPrefix)) return folder.filename().string();
  name.erase(0, kPrefix.size());
  if (const size_t dashes = name.find("--"); dashes != std::string::npos) name.replace(dashes, 2, "/");
  return name;
}

LoadOptions load_options(const CompareOptions& options) {
  return {.device = options.device,
          .quantization = wanted_quantization(options),
          .is_strict = options.strict,
          .allows_unused = options.allow_unused};
}

}  // namespace

ModelFiles resolve_base(const CompareOptions& options, ProgressSink& progress) {
  check(!options.base_model.empty(), ErrorCode::kUsage, "[options] --base-model is missing; name the base model.");
  return resolve_model(options.base_model, hub_options(options, options.revision_base), progress);
}

PairFiles resolve_pair(const CompareOptions& options, ProgressSink& progress) {
  const ModelFiles base = resolve_base(options, progress);
  const HubOptions hub = hub_options(options, options.revision_target);
  if (const auto folder = resolve_adapter(options.target_model, hub, progress)) return {base, with_adapter(base, *folder)};
  const ModelFiles target = options.target_model.empty() ? base : resolve_model(options.target_model, hub, progress);
  check(!options.target_model.empty() || !options.target_adapter.empty(), ErrorCode::kUsage,
        "[options] --target-model is missing; name the target model, or give --target-adapter.");
  if (options.target_adapter.empty()) return {base, target};
  const auto folder = resolve_adapter(options.target_adapter, hub, progress);
  return {base, with_adapter(target, folder.value_or(options.target_adapter))};
}

LoadedModel load_base(const CompareOptions& options, ProgressSink& progress) {
  const ModelFiles files = resolve_base(options, progress);
  return {files, load_model(files, load_options(options), progress), std::make_shared<const Tokenizer>(Tokenizer::load(files))};
}

BothModels load_both(const CompareOptions& options, ProgressSink& progress) {
  const PairFiles files = resolve_pair(options, progress);
  const LoadOptions load = load_options(options);
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

std::string weights_sha256(const ModelFiles& files) {
  Sha256 hash;
  for (const auto& path : files.weights) hash.update(verified_sha256(path));
  if (files.adapter) hash.update(sha256_of_file(*files.adapter / "adapter_model.safetensors"));
  return hash.finish();
}

std::string settings_sha256(const ModelFiles& files) {
  Sha256 hash;
  const auto add = [&](const std::optional<std::filesystem::path>& file) {
    hash.update(file ? sha256_of_file(*file) : "absent");
  };
  for (const auto& file : {files.config, files.tokenizer, files.tokenizer_config, files.chat_template, files.generation_config})
    add(file);
  if (files.adapter) add(*files.adapter / "adapter_config.json");
  return hash.finish();
}

ModelIdentity identify(const LoadedModel& model, const std::string& first_prompt) {
  ModelIdentity identity{.name = model.files.name,
                         .revision = model.files.revision,
                         .sha256 = weights_sha256(model.files),
                         .family = model.decoder.config().family};
  if (model.files.adapter) identity.name += " + " + adapter_name(*model.files.adapter);
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
