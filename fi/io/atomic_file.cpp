#include "fi/io/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "fi/core/error.h"
#include "fi/io/mapped_file.h"

namespace fi {
namespace {

[[noreturn]] void fail_to_write(const std::filesystem::path& path, int error) {
  fail(ErrorCode::kDisk, "[write] cannot write {}: {}; free disk space or choose a folder that you may write to.", path.string(),
       std::strerror(error));
}

// Owns a temporary file: closed and removed unless it was renamed into place.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::filesystem::path& final_path) : final_path_(final_path) {
    static std::atomic<uint64_t> counter{0};
    do {  // a name that is taken belongs to another writer, or to one that died
      path_ = fmt::format("{}.{}.{}.tmp", final_path.string(), ::getpid(), counter++);
      descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    } while (descriptor_ < 0 && errno == EEXIST);
    if (descriptor_ < 0) fail_to_write(final_path_, errno);
  }
  ~TemporaryFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!renamed_) ::unlink(path_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail_to_write(final_path_, errno);
      bytes.remove_prefix(static_cast<size_t>(written));
    }
  }

  void move_into_place() {
    if (::fsync(descriptor_) != 0) fail_to_write(final_path_, errno);
    const int closed = ::close(descriptor_);
    descriptor_ = -1;
    if (closed != 0 || ::rename(path_.c_str(), final_path_.c_str()) != 0) fail_to_write(final_path_, errno);
    renamed_ = true;
  }

 private:
  std::filesystem::path final_path_;
  std::filesystem::path path_;
  int descriptor_ = -1;
  bool renamed_ = false;
};

void sync_folder(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;  // some file systems do not open folders; the rename itself has happened
  ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace

void make_folder(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error || !std::filesystem::is_directory(path)) fail_to_write(path, error ? error.value() : ENOTDIR);
}

void write_file_atomically(const std::filesystem::path& path, std::string_view bytes) {
  write_file_atomically(path, std::span(&bytes, 1));
}

void write_file_atomically(const std::filesystem::path& path, std::span<const std::string_view> pieces) {
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  make_folder(folder);
  TemporaryFile file(path);
  for (const std::string_view piece : pieces) file.write(piece);
  file.move_into_place();
  sync_folder(folder);
}

std::string read_file(const std::filesystem::path& path, std::string_view operation) {
  const auto file = MappedFile::open(path, operation);
  return {reinterpret_cast<const char*>(file->bytes().data()), file->size()};
}

}  // namespace fi
