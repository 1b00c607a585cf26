#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fi/core/progress.h"
#include "fi/hub/http.h"
#include "fi/hub/hub_settings.h"

namespace fi {

enum class WeightFormat { kSafetensors, kGguf };

/// Local files of one model, as `resolve_model` found them. Every path exists and lies inside the model's own folder.
struct ModelFiles {
  std::string name;                     // as the user gave it
  std::optional<std::string> revision;  // commit hash, when the files come from a hub cache
  WeightFormat format = WeightFormat::kSafetensors;
  std::vector<std::filesystem::path> weights;              // one GGUF, one safetensors file or all shards of the index, sorted
  std::optional<std::filesystem::path> config;             // config.json (always present for safetensors)
  std::optional<std::filesystem::path> tokenizer;          // tokenizer.json
  std::optional<std::filesystem::path> tokenizer_config;   // tokenizer_config.json
  std::optional<std::filesystem::path> chat_template;      // chat_template.jinja
  std::optional<std::filesystem::path> generation_config;  // generation_config.json
  std::optional<std::filesystem::path> adapter;            // folder with adapter_config.json, applied on top of the weights
};

struct HubOptions {
  std::optional<std::filesystem::path> cache_dir;  // default: the Hugging Face cache of this user
  std::string revision = "main";
  bool offline = false;                                 // open no socket, as HF_HUB_OFFLINE=1 says it
  std::optional<HubSettings> settings{};                // default: those of the environment
  std::function<std::unique_ptr<HttpClient>()> http{};  // default: libcurl
};

/// Finds the files of `name`: a GGUF file, a folder with safetensors, or a hub name such as "Qwen/Qwen2-1.5B" or
/// "org/name:FILE.gguf", which is taken
/// from the local Hugging Face cache and downloaded into it where it is not complete. Errors: kNotFound with the places searched,
/// kInvalid (git-lfs pointer, index that names an absent shard, path that leaves the folder), and those of download_model.
ModelFiles resolve_model(const std::string& name, const HubOptions& options, ProgressSink& progress = silent_progress());

/// The folder of the PEFT adapter that `name` stands for: a folder, or a hub repository that holds adapter_config.json and no
/// model, which is downloaded like a model. Nothing if it is none; errors as of `resolve_model` for a repository that cannot be
/// had.
std::optional<std::filesystem::path> resolve_adapter(const std::string& name, const HubOptions& options,
                                                     ProgressSink& progress = silent_progress());

/// `base` with the adapter folder on top. kNotFound / kInvalid if the folder is not a PEFT adapter.
ModelFiles with_adapter(ModelFiles base, const std::filesystem::path& adapter_folder);

/// True if `name` is a folder that holds adapter_config.json.
bool is_adapter_folder(const std::string& name);

}  // namespace fi
