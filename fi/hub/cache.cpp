#include "fi/hub/cache.h"

#include <algorithm>
#include <cstdlib>

#include "fi/io/atomic_file.h"

namespace fi {
namespace {

constexpr size_t kCommitDigits = 40;

std::optional<std::filesystem::path> environment_path(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::filesystem::path(value);
}

bool is_name_part(std::string_view part) {
  const auto allowed = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
  };
  return !part.empty() && part.size() <= 96 && part != "." && part != ".." && std::all_of(part.begin(), part.end(), allowed);
}

std::string cache_folder_name(std::string name) {
  const size_t slash = name.find('/');
  name.replace(slash, 1, "--");
  return "models--" + name;
}

}  // namespace

std::filesystem::path default_hub_cache() {
  if (const auto path = environment_path("HF_HUB_CACHE")) return *path;
  if (const auto path = environment_path("HUGGINGFACE_HUB_CACHE")) return *path;
  if (const auto path = environment_path("HF_HOME")) return *path / "hub";
  if (const auto path = environment_path("XDG_CACHE_HOME")) return *path / "huggingface" / "hub";
  return environment_path("HOME").value_or("/") / ".cache" / "huggingface" / "hub";
}

bool is_hub_name(const std::string& name) {
  const size_t slash = name.find('/');
  return slash != std::string::npos && is_name_part(std::string_view(name).substr(0, slash)) &&
         is_name_part(std::string_view(name).substr(slash + 1));
}

std::optional<Snapshot> find_snapshot(const std::filesystem::path& cache, const std::string& name, const std::string& revision) {
  const std::filesystem::path model = cache / cache_folder_name(name);
  std::string commit = revision;
  const std::filesystem::path reference = model / "refs" / revision;
  if (revision.find("..") == std::string::npos && std::filesystem::is_regular_file(reference))
    commit = read_file(reference, "hub");
  const bool is_commit = commit.size() == kCommitDigits && commit.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!is_commit || !std::filesystem::is_directory(model / "snapshots" / commit)) return std::nullopt;
  return Snapshot{model / "snapshots" / commit, commit};
}

}  // namespace fi
