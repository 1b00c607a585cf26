#include "fi/hub/model_files.h"

#include <algorithm>

#include "fi/core/error.h"
#include "fi/core/json.h"
#include "fi/hub/cache.h"
#include "fi/hub/download.h"

namespace fi {
namespace {

namespace fs = std::filesystem;

std::optional<fs::path> file_in(const fs::path& folder, const char* name) {
  const fs::path path = folder / name;
  return fs::is_regular_file(path) ? std::optional(path) : std::nullopt;
}

std::vector<fs::path> shards_of(const fs::path& index) {
  std::vector<fs::path> shards;
  std::vector<std::string> missing;
  for (const std::string& name : shards_in_index(index)) {
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

bool holds_adapter(const fs::path& folder) {
  return fs::is_regular_file(folder / "adapter_config.json") && !fs::exists(folder / "model.safetensors") &&
         !fs::exists(folder / "model.safetensors.index.json");
}

ModelFiles model_in_folder(const std::string& name, const fs::path& folder) {
  if (const auto index = file_in(folder, "model.safetensors.index.json"))
    return safetensors_model(name, folder, shards_of(*index));
  if (const auto weights = file_in(folder, "model.safetensors")) return safetensors_model(name, folder, {*weights});
  check(!holds_adapter(folder), ErrorCode::kUsage,
        "[model] {} is an adapter, not a model; give it as --target-adapter or as the target.", name);
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

[[noreturn]] void fail_not_found(const std::string& name, const HubOptions& options) {
  std::vector<std::string> neighbours;
  const fs::path parent = fs::path(name).has_parent_path() ? fs::path(name).parent_path() : fs::path(".");
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(parent, ignored))
    neighbours.push_back((parent / entry.path().filename()).string());
  const std::string nearest = nearest_name(name, neighbours);
  const std::string searched = is_hub_name(name) ? fmt::format(" and revision '{}' in the model cache {}", options.revision,
                                                               options.cache_dir.value_or(default_hub_cache()).string())
                                                 : "";
  fail(ErrorCode::kNotFound, "[model] '{}' was not found: searched the path {}{}; {}.", name, fs::absolute(name).string(),
       searched,
       !nearest.empty() ? "did you mean '" + nearest + "'?" : "give a GGUF file, a model folder, or a hub name such as org/name");
}

// The name of a repository that could be downloaded; a name of one part is more likely a misspelt path.
bool is_downloadable(const HubModelName& name) { return name.repository.find('/') != std::string::npos; }

// A snapshot that holds all that its kind needs.
Snapshot snapshot_of(const std::string& name, const HubOptions& options, ProgressSink& progress) {
  const HubModelName wanted = *hub_model_name(name);
  const CachedModel cached(options.cache_dir.value_or(default_hub_cache()), wanted.repository);
  std::optional<Snapshot> snapshot = cached.find(options.revision);
  const std::vector<std::string> missing = snapshot ? missing_files(cached, *snapshot, wanted.gguf) : std::vector<std::string>();
  const bool holds_pickles = snapshot && fs::exists(snapshot->folder / "pytorch_model.bin");
  if (snapshot && (missing.empty() || holds_pickles)) return *snapshot;
  HubSettings settings = options.settings ? *options.settings : hub_settings_from_environment();
  settings.offline = settings.offline || options.offline;
  if (!snapshot && !is_downloadable(wanted)) fail_not_found(name, options);
  check(!settings.offline, ErrorCode::kNotFound,
        "[hub] '{}' at revision '{}' is not complete in {}: {} missing, and offline mode forbids a download; download it first.",
        name, options.revision, cached.folder().string(),
        snapshot ? fmt::format("{}", fmt::join(missing, ", ")) : std::string("every file is"));
  const std::unique_ptr<HttpClient> client = options.http ? options.http() : make_curl_client();
  return download_model(cached, wanted, options.revision, *client, settings, progress);
}

ModelFiles hub_model(const std::string& name, const HubOptions& options, ProgressSink& progress) {
  const Snapshot snapshot = snapshot_of(name, options, progress);
  const std::string gguf = hub_model_name(name)->gguf;
  ModelFiles files = gguf.empty() ? model_in_folder(name, snapshot.folder) : gguf_model(name, snapshot.folder / gguf);
  files.revision = snapshot.commit;
  return files;
}

}  // namespace

std::optional<fs::path> resolve_adapter(const std::string& name, const HubOptions& options, ProgressSink& progress) {
  if (is_adapter_folder(name)) return name;
  if (name.empty() || fs::exists(name) || !is_hub_name(name)) return std::nullopt;
  if (const auto snapshot = snapshot_of(name, options, progress); holds_adapter(snapshot.folder)) return snapshot.folder;
  return std::nullopt;
}

bool is_adapter_folder(const std::string& name) { return fs::is_regular_file(fs::path(name) / "adapter_config.json"); }

ModelFiles resolve_model(const std::string& name, const HubOptions& options, ProgressSink& progress) {
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
  if (!hub_model_name(name)) fail_not_found(name, options);
  return hub_model(name, options, progress);
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
