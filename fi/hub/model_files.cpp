#include "fi/hub/model_files.h"

#include <algorithm>
#include <set>

#include "fi/core/error.h"
#include "fi/core/json.h"
#include "fi/hub/cache.h"
#include "fi/io/atomic_file.h"

namespace fi {
namespace {

namespace fs = std::filesystem;

std::optional<fs::path> file_in(const fs::path& folder, const char* name) {
  const fs::path path = folder / name;
  return fs::is_regular_file(path) ? std::optional(path) : std::nullopt;
}

// Values of the weight map are names that the model's author wrote: only plain relative names may be opened.
void check_plain_name(const std::string& name, const fs::path& index) {
  const fs::path path(name);
  const bool climbs = std::any_of(path.begin(), path.end(), [](const fs::path& part) { return part == ".."; });
  check(!name.empty() && path.is_relative() && !climbs, ErrorCode::kInvalid,
        "[model] {} names the shard '{}', expected a plain file name inside the model's folder; do not use this model.",
        index.string(), name);
}

std::vector<fs::path> shards_of(const fs::path& index) {
  const Json document = parse_json(read_file(index, "model"), "model", index.string());
  check(document.is_object() && document.contains("weight_map") && document["weight_map"].is_object(), ErrorCode::kInvalid,
        "[model] {} has no weight_map; download it again.", index.string());
  std::set<std::string> names;
  for (const auto& [tensor, shard] : document["weight_map"].items()) {
    check(shard.is_string(), ErrorCode::kInvalid, "[model] {}: shard of '{}' is no string; download it again.", index.string(),
          tensor);
    names.insert(shard.get<std::string>());
  }
  std::vector<fs::path> shards;
  std::vector<std::string> missing;
  for (const std::string& name : names) {
    check_plain_name(name, index);
    shards.push_back(index.parent_path() / name);
    if (!fs::is_regular_file(shards.back())) missing.push_back(name);
  }
  check(missing.empty(), ErrorCode::kInvalid, "[model] {} names shards that are missing: {}; finish the download.",
        index.string(), fmt::join(missing, ", "));
  return shards;
}

std::vector<fs::path> gguf_files_in(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_regular_file() && entry.path().extension() == ".gguf") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

ModelFiles gguf_model(const std::string& name, const fs::path& file) {
  return {.name = name, .format = WeightFormat::kGguf, .weights = {file}};
}

ModelFiles safetensors_model(const std::string& name, const fs::path& folder, std::vector<fs::path> weights) {
  ModelFiles files{.name = name, .weights = std::move(weights)};
  files.config = file_in(folder, "config.json");
  check(files.config.has_value(), ErrorCode::kNotFound, "[model] {} holds weights but no config.json; copy it there.",
        folder.string());
  files.tokenizer = file_in(folder, "tokenizer.json");
  files.tokenizer_config = file_in(folder, "tokenizer_config.json");
  files.chat_template = file_in(folder, "chat_template.jinja");
  files.generation_config = file_in(folder, "generation_config.json");
  return files;
}

ModelFiles model_in_folder(const std::string& name, const fs::path& folder) {
  if (const auto index = file_in(folder, "model.safetensors.index.json"))
    return safetensors_model(name, folder, shards_of(*index));
  if (const auto weights = file_in(folder, "model.safetensors")) return safetensors_model(name, folder, {*weights});
  const std::vector<fs::path> ggufs = gguf_files_in(folder);
  if (ggufs.size() == 1) return gguf_model(name, ggufs.front());
  check(ggufs.empty(), ErrorCode::kUsage, "[model] {} holds {} GGUF files; name one of them.", folder.string(), ggufs.size());
  check(!fs::exists(folder / "pytorch_model.bin") && !fs::exists(folder / "pytorch_model.bin.index.json"),
        ErrorCode::kUnsupported,
        "[model] {} holds only pickled weights (pytorch_model.bin), which can run code; convert them to safetensors.",
        folder.string());
  fail(ErrorCode::kNotFound, "[model] {} holds neither model.safetensors nor a GGUF file; give the folder of a model.",
       folder.string());
}

[[noreturn]] void fail_not_found(const std::string& name, const fs::path& cache, const std::string& revision) {
  std::vector<std::string> neighbours;
  const fs::path parent = fs::path(name).has_parent_path() ? fs::path(name).parent_path() : fs::path(".");
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(parent, ignored))
    neighbours.push_back((parent / entry.path().filename()).string());
  const std::string nearest = nearest_name(name, neighbours);
  const std::string searched =
      is_hub_name(name) ? fmt::format(" and revision '{}' in the model cache {}", revision, cache.string()) : "";
  fail(
      ErrorCode::kNotFound, "[model] '{}' was not found: searched the path {}{}; {}.", name, fs::absolute(name).string(),
      searched,
      !nearest.empty() ? "did you mean '" + nearest + "'?" : "give a GGUF file, a model folder, or a model that is in the cache");
}

}  // namespace

bool is_adapter_folder(const std::string& name) { return fs::is_regular_file(fs::path(name) / "adapter_config.json"); }

ModelFiles resolve_model(const std::string& name, const HubOptions& options) {
  check(!name.empty(), ErrorCode::kUsage, "[model] the model name is empty; give a GGUF file, a folder or a hub name.");
  check(!is_adapter_folder(name), ErrorCode::kUsage,
        "[model] {} is an adapter, not a model; give it as --target-adapter or as the target.", name);
  if (fs::is_directory(name)) return model_in_folder(name, name);
  if (fs::is_regular_file(name)) {
    check(fs::path(name).extension() == ".gguf", ErrorCode::kUnsupported,
          "[model] {} is a file but no .gguf; give a GGUF file or the folder that holds config.json and model.safetensors.",
          name);
    return gguf_model(name, name);
  }
  const fs::path cache = options.cache_dir.value_or(default_hub_cache());
  const auto snapshot = is_hub_name(name) ? find_snapshot(cache, name, options.revision) : std::nullopt;
  if (!snapshot) fail_not_found(name, cache, options.revision);
  ModelFiles files = model_in_folder(name, snapshot->folder);
  files.revision = snapshot->commit;
  return files;
}

ModelFiles with_adapter(ModelFiles base, const fs::path& adapter_folder) {
  check(is_adapter_folder(adapter_folder.string()), ErrorCode::kNotFound,
        "[adapter] {} holds no adapter_config.json; give a PEFT adapter folder.", adapter_folder.string());
  check(fs::is_regular_file(adapter_folder / "adapter_model.safetensors"), ErrorCode::kNotFound,
        "[adapter] {} holds no adapter_model.safetensors; save the adapter in safetensors format.", adapter_folder.string());
  base.adapter = adapter_folder;
  return base;
}

}  // namespace fi
