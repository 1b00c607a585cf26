#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

namespace fi {

/// A file mapped read-only. Never changes size under its reader: it is mapped privately, and its size is taken once.
class MappedFile {
 public:
  /// kNotFound if absent, kInvalid if it is no regular file or cannot be mapped. `operation` opens the message.
  static std::shared_ptr<const MappedFile> open(const std::filesystem::path& path, std::string_view operation);

  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return bytes_; }
  size_t size() const { return bytes_.size(); }
  const std::filesystem::path& path() const { return path_; }

 private:
  MappedFile(std::filesystem::path path, std::span<const std::byte> bytes) : path_(std::move(path)), bytes_(bytes) {}

  std::filesystem::path path_;
  std::span<const std::byte> bytes_;
};

}  // namespace fi
