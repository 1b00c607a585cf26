#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace fi {

/// The Hugging Face cache folder of this user: HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, else hub_home()/hub.
std::filesystem::path default_hub_cache();

/// True for names like "org/model" or "model": what the hub accepts, and nothing that could leave the cache folder.
bool is_hub_name(const std::string& name);
/// 40 lower-case hexadecimal digits.
bool is_commit_hash(std::string_view text);
/// What may name a blob: a git hash (40 hexadecimal digits) or a SHA-256 (64).
bool is_blob_name(std::string_view text);
/// True for "a", "a/b" and the like: stays below the folder that it is looked up in. For revisions and file names that others
/// wrote.
bool stays_inside(const std::string& relative_path);

/// SHA-256 of a weight file. kInvalid if it is a blob that is named after another one: its bits have changed on disk.
std::string verified_sha256(const std::filesystem::path& file);

struct Snapshot {
  std::filesystem::path folder;
  std::string commit;
};

/// One model in a cache of the layout that huggingface_hub reads and writes:
///   models--org--name/refs/<revision>              the commit hash
///   models--org--name/blobs/<etag>                 contents
///   models--org--name/snapshots/<commit>/<file>    relative links to blobs
///   models--org--name/.no_exist/<commit>/<file>    empty: the hub has no such file
/// Nothing rests on locks: contents get their names when they are whole. Writing fails with kDisk.
class CachedModel {
 public:
  CachedModel(const std::filesystem::path& cache, const std::string& name);

  /// The snapshot of a revision (branch, tag or commit), if it is there; it need not be complete. kInvalid for a reference that
  /// holds no commit.
  std::optional<Snapshot> find(const std::string& revision) const;
  bool is_known_absent(const std::string& commit, const std::string& file) const;

  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path blob(const std::string& etag) const { return folder_ / "blobs" / etag; }
  std::filesystem::path snapshot(const std::string& commit) const { return folder_ / "snapshots" / commit; }
  void link(const std::string& commit, const std::string& file, const std::string& etag) const;
  void mark_absent(const std::string& commit, const std::string& file) const;
  void set_reference(const std::string& revision, const std::string& commit) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace fi
