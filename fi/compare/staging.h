#pragma once

#include <filesystem>

namespace fi {

/// Where the activations stage works: a folder inside its output folder whose files replace those of an earlier run only when all
/// of them are written. Whatever fails before that leaves the earlier run's results as they were.
class StagingFolder {
 public:
  /// First finishes the move of an earlier run that was stopped during it.
  explicit StagingFolder(const std::filesystem::path& output);

  const std::filesystem::path& path() const { return path_; }
  /// Makes the folder empty.
  void clear() const;
  /// Makes a copy of the output folder's `name` to go on from, unless the staging folder has one or the output folder has none.
  void take_over(const char* name) const;
  /// Moves every file and folder into the output folder, manifest.json last. A run writes all of the stage, empty ones too, so
  /// that nothing of an earlier run stays among them. kDisk if something cannot be moved.
  void publish() const;

 private:
  std::filesystem::path output_;
  std::filesystem::path path_;
};

/// Completes a move that was stopped in the middle, so that readers of `output` see one run's files only.
void finish_publishing(const std::filesystem::path& output);

}  // namespace fi
