#include "fi/model/model_source.h"

#include "fi/core/error.h"
#include "fi/io/atomic_file.h"
#include "fi/io/gguf.h"
#include "fi/io/safetensors.h"
#include "fi/model/canonical_tensors.h"
#include "fi/model/gguf_names.h"
#include "fi/model/read_config.h"

namespace fi {
namespace {

// Multimodal checkpoints hold the text model under a prefix of its own.
std::string text_model_name(std::string name) {
  for (const std::string_view prefix : {"language_model.", "model.language_model."}) {
    if (name.starts_with(prefix)) return (prefix.starts_with("model.") ? "model." : "") + name.substr(prefix.size());
  }
  return name;
}

// What a checkpoint may hold that a text decoder does not read: other modalities, tables that follow from the config, and the
// causal masks that old checkpoints stored beside their weights.
bool is_harmless(const StoredTensor& tensor) {
  for (const char* ending :
       {".rotary_emb.inv_freq", ".attn.bias", ".attn.masked_bias", ".attention.bias", ".attention.masked_bias"}) {
    if (tensor.name.ends_with(ending)) return true;
  }
  for (const char* beginning : {"vision_tower.", "multi_modal_projector.", "rope_freqs.", "rope_factors_"}) {
    if (tensor.name.starts_with(beginning)) return true;
  }
  return false;
}

ModelSource open_gguf(const std::filesystem::path& path) {
  const GgufFile file = GgufFile::open(path);
  const Family& family = family_of_gguf(file.get_string("general.architecture"), path.string());
  ModelSource source{.family = &family, .config = config_from_gguf(file, family)};
  std::vector<TensorView> views;
  for (const StoredTensor& tensor : file.tensors()) {
    if (!is_harmless(tensor)) views.push_back({.name = canonical_name(tensor.name, family.has_norms_around), .stored = tensor});
  }
  source.tensors = canonical_tensors(std::move(views), family, source.config, /*is_gguf=*/true);
  return source;
}

ModelSource open_safetensors(const ModelFiles& files) {
  const std::string where = files.config->string();
  std::vector<StoredTensor> tensors;
  for (const auto& path : files.weights) {
    const SafetensorsFile file = SafetensorsFile::open(path);
    tensors.insert(tensors.end(), file.tensors().begin(), file.tensors().end());
  }
  return source_from_checkpoint(parse_json(read_file(*files.config, "model"), "model", where), std::move(tensors), where);
}

}  // namespace

ModelSource source_from_checkpoint(const Json& document, std::vector<StoredTensor> tensors, std::string_view where) {
  check(document.is_object() && document.contains("model_type") && document["model_type"].is_string(), ErrorCode::kInvalid,
        "[model] {} names no model_type; download the model again.", where);
  const Family& family = family_of_model_type(document["model_type"].get<std::string>(), where);
  ModelSource source{.family = &family, .config = config_from_json(document, family, where), .norm_offset = family.norm_offset};
  std::vector<TensorView> views;
  for (StoredTensor& tensor : tensors) {
    if (!is_harmless(tensor)) views.push_back({.name = text_model_name(tensor.name), .stored = std::move(tensor)});
  }
  source.tensors = canonical_tensors(std::move(views), family, source.config, /*is_gguf=*/false);
  return source;
}

ModelSource open_model(const ModelFiles& files) {
  ModelSource source = files.format == WeightFormat::kGguf ? open_gguf(files.weights.front()) : open_safetensors(files);
  source.name = files.name;
  return source;
}

}  // namespace fi
