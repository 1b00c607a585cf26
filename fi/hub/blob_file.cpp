#include "fi/hub/blob_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <random>

#include "fi/core/error.h"
#include "fi/io/atomic_file.h"

namespace fi {

BlobFile::BlobFile(std::filesystem::path final_path) : final_path_(std::move(final_path)), hash_(std::in_place) {
  make_folder(final_path_.parent_path());
  std::random_device random;
  do {
    path_ = fmt::format("{}.{:08x}.incomplete", final_path_.string(), random());
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  } while (descriptor_ < 0 && errno == EEXIST);
  if (descriptor_ < 0) fail_to_write(errno);
}

BlobFile::~BlobFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(path_.c_str());
}

void BlobFile::append(std::string_view bytes) {
  hash_->update(bytes);
  size_bytes_ += bytes.size();
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_to_write(errno);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

void BlobFile::clear() {
  if (::ftruncate(descriptor_, 0) != 0 || ::lseek(descriptor_, 0, SEEK_SET) != 0) fail_to_write(errno);
  size_bytes_ = 0;
  hash_.emplace();
}

std::string BlobFile::sha256() {
  std::string digest = hash_->finish();
  return digest;
}

void BlobFile::put_into_place() { finish(final_path_); }
void BlobFile::put_aside() { finish(final_path_.string() + ".corrupt"); }

void BlobFile::finish(const std::filesystem::path& path) {
  if (::fsync(descriptor_) != 0 || ::rename(path_.c_str(), path.c_str()) != 0) fail_to_write(errno);
  ::close(descriptor_);
  descriptor_ = -1;
}

void BlobFile::fail_to_write(int error) const {
  fail(ErrorCode::kDisk, "[hub] cannot write {} after {} bytes: {}; free disk space or choose another --cache-dir.",
       final_path_.string(), size_bytes_, std::strerror(error));
}

}  // namespace fi
