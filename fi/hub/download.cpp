#include "fi/hub/download.h"

#include <algorithm>
#include <set>

#include "fi/core/error.h"
#include "fi/core/json.h"
#include "fi/hub/hub_connection.h"
#include "fi/io/atomic_file.h"

namespace fi {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfig = "config.json";
constexpr const char* kIndex = "model.safetensors.index.json";
constexpr const char* kWeights = "model.safetensors";
constexpr const char* kTokenizer = "tokenizer.json";
constexpr const char* kAdapterConfig = "adapter_config.json";
constexpr const char* kAdapterWeights = "adapter_model.safetensors";
constexpr size_t kMaxListed = 20;
constexpr const char* kSmallFiles[] = {kTokenizer, "tokenizer_config.json", "chat_template.jinja", "generation_config.json"};

bool is_gguf_name(const std::string& file) { return file.ends_with(".gguf") && stays_inside(file); }

class Download {
 public:
  Download(const CachedModel& cached, const std::string& name, const std::string& revision, HttpClient& client,
           const HubSettings& settings, ProgressSink& progress)
      : cached_(cached), name_(name), revision_(revision), connection_(client, settings, name, progress), progress_(progress) {}

  // Weights last: a snapshot that has them has everything.
  Snapshot run(const std::string& gguf) {
    if (!gguf.empty()) {
      get_gguf(gguf);
    } else if (!get_model() && !get_adapter()) {
      get_gguf(the_only_gguf());
    }
    cached_.set_reference(revision_, commit_);
    return {cached_.snapshot(commit_), commit_};
  }

 private:
  // False if there is none in safetensors.
  bool get_model() {
    if (!get(kConfig)) return false;
    for (const char* file : kSmallFiles) get(file);
    if (!get(kIndex)) return get(kWeights);
    for (const std::string& shard : shards_in_index(cached_.snapshot(commit_) / kIndex)) {
      check(get(shard), ErrorCode::kInvalid, "[hub] '{}' lacks the shard {} that its {} names; tell its authors.", name_, shard,
            kIndex);
    }
    return true;
  }

  bool get_adapter() {
    if (!get(kAdapterConfig)) return false;
    check(get(kAdapterWeights), ErrorCode::kUnsupported,
          "[hub] the adapter '{}' has no {} at revision '{}'; pickled weights can run code, convert them to safetensors.", name_,
          kAdapterWeights, revision_);
    return true;
  }

  void get_gguf(const std::string& file) {
    check(get(file), ErrorCode::kNotFound, "[hub] '{}' has no file {} at revision '{}'; it has {}.", name_, file, revision_,
          ggufs_in_words());
  }

  std::string the_only_gguf() {
    const std::vector<std::string> names = ggufs();
    if (names.empty() && !commit_.empty()) {
      fail(ErrorCode::kUnsupported,
           "[hub] '{}' has no safetensors weights at revision '{}', no GGUF file and no adapter; pickled weights can run code, "
           "convert them to safetensors.",
           name_, revision_);
    }
    check(!names.empty(), ErrorCode::kNotFound,
          "[hub] '{}' holds no model at revision '{}': neither config.json nor adapter_config.json nor a GGUF file.", name_,
          revision_);
    check(names.size() == 1, ErrorCode::kUsage, "[hub] '{}' holds {}; name one, such as {}:{}.", name_, ggufs_in_words(), name_,
          names.front());
    return names.front();
  }

  std::vector<std::string> ggufs() {
    std::vector<std::string> names = connection_.list(commit_.empty() ? revision_ : commit_);
    std::erase_if(names, [](const std::string& file) { return !is_gguf_name(file); });
    std::sort(names.begin(), names.end());
    return names;
  }

  std::string ggufs_in_words() {
    std::vector<std::string> names = ggufs();
    const size_t num_names = names.size();
    names.resize(std::min(num_names, kMaxListed));
    return fmt::format("{} GGUF files{}{}{}", num_names, names.empty() ? "" : ": ", fmt::join(names, ", "),
                       num_names > kMaxListed ? ", ..." : "");
  }

  // False if the hub has no such file.
  bool get(const std::string& file) {
    const auto remote = connection_.find(commit_.empty() ? revision_ : commit_, file);
    if (!remote) {
      if (!commit_.empty()) cached_.mark_absent(commit_, file);
      return false;
    }
    if (commit_.empty()) commit_ = remote->commit;
    check(remote->commit == commit_, ErrorCode::kInvalid, "[hub] '{}': {} is of commit {}, expected {}; try again.", name_, file,
          remote->commit, commit_);
    const std::string etag = has_blob(*remote) ? remote->etag : fetch(*remote);
    cached_.link(commit_, file, etag);
    return true;
  }

  bool has_blob(const RemoteFile& remote) const {
    std::error_code error;
    const uint64_t size = fs::file_size(cached_.blob(remote.etag), error);
    return !error && size == remote.size_bytes.value_or(size);
  }

  // The name of the blob, which is another one if the file changed meanwhile.
  std::string fetch(RemoteFile remote) {
    Error problem = Error(ErrorCode::kInternal, "");
    for (int attempt = 0; attempt < 2; ++attempt) {
      if (attempt > 0) {
        progress_.warn(fmt::format("{} Downloading it once more.", problem.what()));
        const auto again = connection_.find(commit_, remote.name);
        check(again.has_value(), ErrorCode::kNetwork, "[hub] {} of '{}' is gone; try again later.", remote.name, name_);
        remote = *again;
      }
      check_room(remote);
      BlobFile blob(cached_.blob(remote.etag));
      const StageProgress stage(progress_, "download " + remote.name, static_cast<int64_t>(remote.size_bytes.value_or(0)),
                                "bytes");
      if (!connection_.fetch(remote, blob)) {
        problem = mismatch(remote, blob);
      } else if (const std::string sha256 = blob.sha256(); remote.etag.size() == sha256.size() && remote.etag != sha256) {
        problem = damage(remote, sha256);
        blob.put_aside();
      } else {
        blob.put_into_place();
        return remote.etag;
      }
    }
    throw problem;
  }

  void check_room(const RemoteFile& remote) const {
    make_folder(cached_.folder());
    std::error_code error;
    const fs::space_info space = fs::space(cached_.folder(), error);
    check(error || space.available >= remote.size_bytes.value_or(0), ErrorCode::kDisk,
          "[hub] {} of '{}' needs {} bytes, but {} are free in {}; free disk space or choose another --cache-dir.", remote.name,
          name_, remote.size_bytes.value_or(0), space.available, cached_.folder().string());
  }

  Error mismatch(const RemoteFile& remote, const BlobFile& blob) const {
    return Error(ErrorCode::kNetwork,
                 fmt::format("[hub] {} of '{}' came otherwise than announced, after {} of {} bytes with etag {}; it changes or "
                             "something in between alters it, try again later.",
                             remote.name, name_, blob.size_bytes(), remote.size_bytes.value_or(0), remote.etag));
  }

  Error damage(const RemoteFile& remote, const std::string& sha256) const {
    return Error(ErrorCode::kInvalid,
                 fmt::format("[hub] {} of '{}' is damaged: SHA-256 {}, expected {}; its bytes are kept in {}.corrupt, try again.",
                             remote.name, name_, sha256, remote.etag, cached_.blob(remote.etag).string()));
  }

  const CachedModel& cached_;
  std::string name_;
  std::string revision_;
  HubConnection connection_;
  ProgressSink& progress_;
  std::string commit_;  // of all files, known after the first
};

bool has_gguf(const fs::path& folder) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".gguf") return true;
  }
  return false;
}

}  // namespace

Snapshot download_model(const CachedModel& cached, const HubModelName& name, const std::string& revision, HttpClient& client,
                        const HubSettings& settings, ProgressSink& progress) {
  return Download(cached, name.repository, revision, client, settings, progress).run(name.gguf);
}

std::optional<HubModelName> hub_model_name(const std::string& name) {
  const size_t colon = name.find(':');
  HubModelName parts{name.substr(0, colon), colon == std::string::npos ? "" : name.substr(colon + 1)};
  if (!is_hub_name(parts.repository) || (colon != std::string::npos && !is_gguf_name(parts.gguf))) return std::nullopt;
  return parts;
}

std::vector<std::string> shards_in_index(const fs::path& index) {
  const Json document = parse_json(read_file(index, "model"), "model", index.string());
  check(document.is_object() && document.contains("weight_map") && document["weight_map"].is_object(), ErrorCode::kInvalid,
        "[model] {} has no weight_map; download it again.", index.string());
  std::set<std::string> names;
  for (const auto& [tensor, shard] : document["weight_map"].items()) {
    check(shard.is_string(), ErrorCode::kInvalid, "[model] {}: shard of '{}' is no string; download it again.", index.string(),
          tensor);
    const auto& name = shard.get_ref<const std::string&>();
    check(
        stays_inside(name), ErrorCode::kInvalid,
        "[model] {} names the shard '{}' for '{}', expected a plain file name inside the model's folder; do not use this model.",
        index.string(), name, tensor);
    names.insert(name);
  }
  check(!names.empty(), ErrorCode::kInvalid, "[model] {} has an empty weight_map; download it again.", index.string());
  return {names.begin(), names.end()};
}

std::vector<std::string> missing_files(const CachedModel& cached, const Snapshot& snapshot, const std::string& gguf) {
  const auto is_there = [&](const std::string& file) { return fs::is_regular_file(snapshot.folder / file); };
  std::vector<std::string> missing;
  if (!gguf.empty()) return is_there(gguf) ? missing : std::vector{gguf};
  if (is_there(kAdapterConfig) && !is_there(kWeights) && !is_there(kIndex))
    return is_there(kAdapterWeights) ? missing : std::vector<std::string>{kAdapterWeights};
  if (has_gguf(snapshot.folder)) return {};
  if (!is_there(kConfig)) missing.push_back(kConfig);
  if (!is_there(kTokenizer) && !cached.is_known_absent(snapshot.commit, kTokenizer)) missing.push_back(kTokenizer);
  const std::vector<std::string> weights =
      is_there(kIndex) ? shards_in_index(snapshot.folder / kIndex) : std::vector<std::string>{kWeights};
  for (const std::string& file : weights) {
    if (!is_there(file)) missing.push_back(file);
  }
  return missing;
}

}  // namespace fi
