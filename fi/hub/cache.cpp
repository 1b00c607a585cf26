#include "fi/hub/cache.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "fi/core/error.h"
#include "fi/core/hash.h"
#include "fi/hub/hub_settings.h"
#include "fi/io/atomic_file.h"

namespace fi {
namespace {

namespace fs = std::filesystem;

constexpr size_t kGitHashDigits = 40;
constexpr size_t kSha256Digits = 64;

bool is_lower_hex(std::string_view text) { return text.find_first_not_of("0123456789abcdef") == std::string_view::npos; }

bool is_name_part(std::string_view part) {
  const auto allowed = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
  };
  return !part.empty() && part.size() <= 96 && part[0] != '.' && std::all_of(part.begin(), part.end(), allowed);
}

std::string folder_name(std::string name) {
  if (const size_t slash = name.find('/'); slash != std::string::npos) name.replace(slash, 1, "--");
  return "models--" + name;
}

}  // namespace

fs::path default_hub_cache() {
  for (const char* name : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"}) {
    if (const char* value = std::getenv(name); value != nullptr && *value != '\0') return value;
  }
  return hub_home() / "hub";
}

bool is_hub_name(const std::string& name) {
  const size_t slash = name.find('/');
  if (slash == std::string::npos) return is_name_part(name);
  return is_name_part(std::string_view(name).substr(0, slash)) && is_name_part(std::string_view(name).substr(slash + 1));
}

bool is_commit_hash(std::string_view text) { return text.size() == kGitHashDigits && is_lower_hex(text); }

bool is_blob_name(std::string_view text) {
  return (text.size() == kGitHashDigits || text.size() == kSha256Digits) && is_lower_hex(text);
}

bool stays_inside(const std::string& relative_path) {
  const fs::path path(relative_path);
  const auto is_plain = [](const fs::path& part) { return !part.empty() && part != "." && part != ".."; };
  const bool has_odd_bytes =
      std::any_of(relative_path.begin(), relative_path.end(), [](unsigned char c) { return c < 32 || c == 127 || c == '\\'; });
  return !path.empty() && path.is_relative() && !has_odd_bytes && std::all_of(path.begin(), path.end(), is_plain);
}

std::string verified_sha256(const fs::path& file) {
  const fs::path blob = fs::weakly_canonical(file);
  const std::string name = blob.filename().string();
  std::string sha256 = sha256_of_file(blob);
  const bool is_named_after_hash = blob.parent_path().filename() == "blobs" && name.size() == kSha256Digits && is_blob_name(name);
  check(!is_named_after_hash || name == sha256, ErrorCode::kInvalid,
        "[hub] {} is damaged: its SHA-256 is {}, expected {}; delete it, the next run downloads it again.", blob.string(), sha256,
        name);
  return sha256;
}

CachedModel::CachedModel(const fs::path& cache, const std::string& name) : folder_(cache / folder_name(name)) {
  invariant(is_hub_name(name), "[hub] '{}' is no hub name.", name);
}

std::optional<Snapshot> CachedModel::find(const std::string& revision) const {
  check(stays_inside(revision), ErrorCode::kUsage, "[hub] revision '{}' is no branch, tag or commit; correct it.", revision);
  std::string commit = revision;
  const fs::path reference = folder_ / "refs" / revision;
  if (fs::is_regular_file(reference)) {
    commit = read_file(reference, "hub");
    commit.erase(commit.find_last_not_of(" \r\n") + 1);
    check(is_commit_hash(commit), ErrorCode::kInvalid, "[hub] {} holds no commit hash of 40 digits; delete it.",
          reference.string());
  }
  if (!is_commit_hash(commit) || !fs::is_directory(snapshot(commit))) return std::nullopt;
  return Snapshot{snapshot(commit), commit};
}

bool CachedModel::is_known_absent(const std::string& commit, const std::string& file) const {
  return fs::exists(folder_ / ".no_exist" / commit / file);
}

void CachedModel::link(const std::string& commit, const std::string& file, const std::string& etag) const {
  const fs::path pointer = snapshot(commit) / file;
  make_folder(pointer.parent_path());
  const fs::path target = fs::relative(blob(etag), pointer.parent_path());
  const fs::path temporary = pointer.string() + fmt::format(".{}.tmp", ::getpid());
  std::error_code error;
  fs::remove(temporary, error);
  fs::create_symlink(target, temporary, error);
  if (!error) fs::rename(temporary, pointer, error);
  check(!error, ErrorCode::kDisk, "[hub] cannot make the link {}: {}; choose another --cache-dir.", pointer.string(),
        error.message());
}

void CachedModel::mark_absent(const std::string& commit, const std::string& file) const {
  write_file_atomically(folder_ / ".no_exist" / commit / file, "");
}

void CachedModel::set_reference(const std::string& revision, const std::string& commit) const {
  if (revision != commit) write_file_atomically(folder_ / "refs" / revision, commit);
}

}  // namespace fi
