#include "fi/io/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "fi/core/error.h"

namespace fi {
namespace {

class FileDescriptor {
 public:
  explicit FileDescriptor(int value) : value_(value) {}
  ~FileDescriptor() {
    if (value_ >= 0) ::close(value_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int value() const { return value_; }

 private:
  int value_;
};

}  // namespace

std::shared_ptr<const MappedFile> MappedFile::open(const std::filesystem::path& path, std::string_view operation) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));  // never waits for a pipe's writer
  check(file.value() >= 0, errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kInvalid,
        "[{}] cannot open {}: {}; check the path.", operation, path.string(), std::strerror(errno));
  struct stat status {};
  check(::fstat(file.value(), &status) == 0 && S_ISREG(status.st_mode), ErrorCode::kInvalid,
        "[{}] {} is not a regular file; give the path of a file.", operation, path.string());
  const auto size = static_cast<size_t>(status.st_size);
  if (size == 0) return std::shared_ptr<const MappedFile>(new MappedFile(path, {}));
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.value(), 0);
  check(address != MAP_FAILED, ErrorCode::kInvalid, "[{}] cannot map {} ({} bytes): {}.", operation, path.string(), size,
        std::strerror(errno));
  return std::shared_ptr<const MappedFile>(new MappedFile(path, {static_cast<const std::byte*>(address), size}));
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

}  // namespace fi
