#include "fi/model/load_model.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "fi/core/error.h"
#include "fi/core/json.h"
#include "fi/io/atomic_file.h"
#include "fi/io/gguf.h"
#include "fi/io/safetensors.h"
#include "fi/model/decoder_layer.h"
#include "fi/model/device.h"
#include "fi/model/families/family.h"
#include "fi/model/gguf_names.h"

namespace fi {
namespace {

// Rotary tables reach this far; longer texts are refused rather than read wrongly.
constexpr int64_t kMaxTablePositions = 8192;

at::ScalarType dtype_held(const std::string& quantization) {
  static const std::map<std::string, at::ScalarType> table = {
      {"auto", at::kFloat}, {"fp32", at::kFloat}, {"fp16", at::kHalf}, {"bf16", at::kBFloat16}, {"int8", at::kChar}};
  const auto found = table.find(quantization);
  check(found != table.end(), ErrorCode::kUsage,
        "[model] quantization '{}' is not known, expected fp32, fp16, bf16, int8 or auto.", quantization);
  return found->second;
}

// Multimodal checkpoints hold the text model under a prefix of its own.
std::string text_model_name(std::string name) {
  for (const std::string_view prefix : {"language_model.", "model.language_model."}) {
    if (name.starts_with(prefix)) return (prefix.starts_with("model.") ? "model." : "") + name.substr(prefix.size());
  }
  return name;
}

struct Source {
  const Family* family = nullptr;
  ModelConfig config;
  std::vector<StoredTensor> tensors;  // canonical names
};

Source open_gguf(const std::filesystem::path& path) {
  const GgufFile file = GgufFile::open(path);
  const Family& family = family_of_gguf(file.get_string("general.architecture"), path.string());
  Source source{.family = &family, .config = config_from_gguf(file, family)};
  for (StoredTensor tensor : file.tensors()) {
    tensor.name = canonical_name(tensor.name, family.norm_offset != 0.0);
    source.tensors.push_back(std::move(tensor));
  }
  return source;
}

Source open_safetensors(const ModelFiles& files) {
  const std::string where = files.config->string();
  const Json document = parse_json(read_file(*files.config, "model"), "model", where);
  check(document.is_object() && document.contains("model_type") && document["model_type"].is_string(), ErrorCode::kInvalid,
        "[model] {} names no model_type; download the model again.", where);
  const Family& family = family_of_model_type(document["model_type"].get<std::string>(), where);
  Source source{.family = &family, .config = config_from_json(document, family, where)};
  for (const auto& path : files.weights) {
    const SafetensorsFile file = SafetensorsFile::open(path);
    for (StoredTensor tensor : file.tensors()) {
      tensor.name = text_model_name(tensor.name);
      source.tensors.push_back(std::move(tensor));
    }
  }
  return source;
}

// What a checkpoint may hold that a text decoder does not read.
bool is_harmless(const std::string& name) {
  return name.ends_with(".rotary_emb.inv_freq") || name.starts_with("vision_tower.") ||
         name.starts_with("multi_modal_projector.");
}

void check_all_used(const WeightStore& store, const std::string& model) {
  std::vector<std::string> unused = store.unused();
  std::erase_if(unused, is_harmless);
  check(unused.empty(), ErrorCode::kInvalid,
        "[model] {}: {} tensors are not read by its architecture, such as '{}'; weights and config do not fit.", model,
        unused.size(), unused.empty() ? "" : unused.front());
}

Decoder build(const Source& source, const WeightStore& store, ProgressSink& sink) {
  const ModelConfig& config = source.config;
  const Weights root(store, "");
  Decoder::Parts parts{.config = config};
  parts.embedding = root.take("model.embed_tokens.weight", {config.vocab_size, config.d_model});
  if (source.family->scales_embedding) parts.embedding_scale = std::sqrt(static_cast<double>(config.d_model));
  parts.final_norm = root.take("model.norm.weight", {config.d_model});
  const bool has_head = root.has("lm_head.weight");
  check(has_head || config.tied_embeddings, ErrorCode::kInvalid,
        "[model] lm_head.weight is missing and the config does not tie it to the embeddings; set tie_word_embeddings if they are "
        "shared.");
  parts.unembedding = has_head ? root.take("lm_head.weight", {config.vocab_size, config.d_model}) : parts.embedding;

  const int64_t positions = std::min(config.max_positions, kMaxTablePositions);
  const auto table = [&](double theta) {
    RotaryTable made = make_rotary_table(config.head_dim, positions, theta);
    return std::make_shared<const RotaryTable>(
        RotaryTable{made.cos.to(store.options().device), made.sin.to(store.options().device)});
  };
  const auto global = table(config.rope_theta);
  const auto local =
      config.is_local.empty() ? global : table(config.rope_local_theta > 0.0 ? config.rope_local_theta : config.rope_theta);
  StageProgress progress(sink, "weights", config.num_layers, "layers");
  for (int64_t i = 0; i < config.num_layers; ++i) {
    const bool is_local = !config.is_local.empty() && config.is_local[static_cast<size_t>(i)];
    parts.layers.push_back(std::make_shared<const DecoderLayer>(root.scope("model").scope("layers").scope(std::to_string(i)),
                                                                config, is_local, is_local ? local : global));
    progress.advance(1);
  }
  return Decoder(std::move(parts));
}

}  // namespace

Decoder load_model(const ModelFiles& files, const LoadOptions& options, ProgressSink& progress) {
  const bool is_gguf = files.format == WeightFormat::kGguf;
  Source source = is_gguf ? open_gguf(files.weights.front()) : open_safetensors(files);
  WeightStore store({.held_as = dtype_held(options.quantization),
                     .device = choose_device(options.device),
                     .norm_offset = is_gguf ? 0.0 : source.family->norm_offset,
                     .interleaved_head_dim = is_gguf && source.family->gguf_rotary_pairs ? source.config.head_dim : 0});
  for (StoredTensor& tensor : source.tensors) {
    std::string name = tensor.name;
    store.add(std::move(name), std::move(tensor));
  }
  Decoder decoder = build(source, store, progress);
  check_all_used(store, files.name);
  if (store.num_non_finite() > 0)
    progress.warn(fmt::format("[model] {} holds {} weights that are NaN or infinite.", files.name, store.num_non_finite()));
  return files.adapter ? apply_adapter(decoder, *files.adapter) : decoder;
}

}  // namespace fi
