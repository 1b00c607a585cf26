#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "fi/core/hash.h"

namespace fi {

/// A file that is being downloaded: written under a name of its own beside its final one, hashed on the way, and removed unless
/// it was put into place. Failures to write are kDisk errors that name the file.
class BlobFile {
 public:
  /// `final_path` need not exist; its folder is made.
  explicit BlobFile(std::filesystem::path final_path);
  ~BlobFile();
  BlobFile(const BlobFile&) = delete;
  BlobFile& operator=(const BlobFile&) = delete;

  void append(std::string_view bytes);
  /// Starts again with nothing.
  void clear();
  uint64_t size_bytes() const { return size_bytes_; }
  /// SHA-256 of what was appended.
  std::string sha256();
  /// Flushes to disk and renames to the final path.
  void put_into_place();
  /// Keeps the bytes beside the final path under the ending ".corrupt", for a look at them.
  void put_aside();

 private:
  [[noreturn]] void fail_to_write(int error) const;
  void finish(const std::filesystem::path& path);

  std::filesystem::path final_path_;
  std::filesystem::path path_;
  int descriptor_ = -1;
  uint64_t size_bytes_ = 0;
  std::optional<Sha256> hash_;
};

}  // namespace fi
