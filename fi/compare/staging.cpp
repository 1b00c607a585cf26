#include "fi/compare/staging.h"

#include <algorithm>
#include <vector>

#include "fi/compare/run_files.h"
#include "fi/core/error.h"
#include "fi/io/atomic_file.h"

namespace fi {
namespace {

namespace fs = std::filesystem;

void check_moved(const std::error_code& error, const fs::path& path) {
  check(!error, ErrorCode::kDisk, "[write] cannot replace {}: {}; choose a folder that you may write to.", path.string(),
        error.message());
}

std::vector<fs::path> entries_in(const fs::path& folder) {
  std::vector<fs::path> entries;
  for (const auto& entry : fs::directory_iterator(folder)) entries.push_back(entry.path());
  std::sort(entries.begin(), entries.end());
  return entries;
}

void remove_entry(const fs::path& path) {
  std::error_code error;
  fs::remove_all(path, error);
  check_moved(error, path);
}

void move_entry(const fs::path& from, const fs::path& to) {
  std::error_code error;
  if (fs::is_directory(to)) remove_entry(to);
  fs::rename(from, to, error);
  check_moved(error, to);
}

// From the removal of the old manifest until the new one is in place the output folder counts as incomplete, and the staging
// folder still holds the new manifest: whoever comes next completes the move.
void move_all(const fs::path& staging, const fs::path& output) {
  remove_entry(output / kManifestFile);
  for (const fs::path& entry : entries_in(staging)) {
    if (entry.filename() != kManifestFile) move_entry(entry, output / entry.filename());
  }
  move_entry(staging / kManifestFile, output / kManifestFile);
  remove_entry(staging);
}

}  // namespace

StagingFolder::StagingFolder(const fs::path& output) : output_(output), path_(output / kInProgressFolder) {
  finish_publishing(output);
  make_folder(path_);
}

void StagingFolder::clear() const {
  for (const fs::path& entry : entries_in(path_)) remove_entry(entry);
}

void StagingFolder::take_over(const char* name) const {
  if (fs::exists(path_ / name) || !fs::exists(output_ / name)) return;
  write_file_atomically(path_ / name, read_file(output_ / name, "resume"));
}

void StagingFolder::publish() const { move_all(path_, output_); }

void finish_publishing(const fs::path& output) {
  const fs::path staging = output / kInProgressFolder;
  if (fs::is_regular_file(staging / kManifestFile)) move_all(staging, output);
}

}  // namespace fi
