#include "fi/io/zip_archive.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "fi/core/error.h"

namespace fi {
namespace {

constexpr uint32_t kEndSignature = 0x06054b50, kDirectorySignature = 0x02014b50, kLocalSignature = 0x04034b50;
constexpr size_t kEndBytes = 22, kDirectoryBytes = 46, kLocalBytes = 30, kMaxComment = 65535;
constexpr uint16_t kEncrypted = 1, kSizesFollow = 8;
constexpr uint32_t kZip64 = 0xffffffff;

[[noreturn]] void reject(const MappedFile& file, const std::string& rule) {
  fail(ErrorCode::kInvalid, "[pt] {}: {}; download the file again.", file.path().string(), rule);
}

[[noreturn]] void refuse(const MappedFile& file, const std::string& what) {
  fail(ErrorCode::kUnsupported, "[pt] {}: {}; load it in a sandbox with torch and save its tensors as safetensors.",
       file.path().string(), what);
}

// Little-endian fields, every access within the file.
class Fields {
 public:
  Fields(const MappedFile& file, size_t offset, size_t size) : file_(file), offset_(offset) {
    if (offset > file.size() || size > file.size() - offset) reject(file, fmt::format("a header at {} is cut off", offset));
  }
  uint16_t u16(size_t at) const { return read<uint16_t>(at); }
  uint32_t u32(size_t at) const { return read<uint32_t>(at); }

 private:
  template <typename T>
  T read(size_t at) const {
    T value;
    std::memcpy(&value, file_.bytes().data() + offset_ + at, sizeof value);
    return value;
  }
  const MappedFile& file_;
  size_t offset_;
};

std::string text_at(const MappedFile& file, size_t offset, size_t size) {
  if (offset > file.size() || size > file.size() - offset) reject(file, fmt::format("a name at {} is cut off", offset));
  return {reinterpret_cast<const char*>(file.bytes().data()) + offset, size};
}

size_t find_end(const MappedFile& file) {
  if (file.size() < kEndBytes) reject(file, "no zip file: too small");
  const size_t lowest = file.size() - std::min(file.size(), kEndBytes + kMaxComment);
  for (size_t offset = file.size() - kEndBytes + 1; offset-- > lowest;) {
    const Fields fields(file, offset, kEndBytes);
    if (fields.u32(0) == kEndSignature && offset + kEndBytes + fields.u16(20) == file.size()) return offset;
  }
  const auto first = static_cast<unsigned char>(file.bytes()[0]);
  if (first == 0x80) refuse(file, "an old torch file (a bare pickle)");
  reject(file, "no zip file: no directory at its end");
}

bool is_plain(const std::string& name) {
  if (name.empty() || name.front() == '/' || name.find('\\') != std::string::npos || name.find('\0') != std::string::npos)
    return false;
  return ("/" + name + "/").find("/../") == std::string::npos;
}

struct Span {
  size_t begin, end;
};

// Where the record's bytes are, after its local header was compared with the directory's entry.
Span data_of(const MappedFile& file, const Fields& entry, const std::string& name) {
  const size_t offset = entry.u32(42), size = entry.u32(24);
  if (entry.u16(8) & kEncrypted) refuse(file, "record '" + name + "' is encrypted");
  if (entry.u16(10) != 0) refuse(file, "record '" + name + "' is compressed");
  if (entry.u32(20) == kZip64 || size == kZip64 || offset == kZip64) refuse(file, "zip64 records (4 GB or more)");
  if (entry.u32(20) != size) reject(file, "record '" + name + "' has two sizes");
  const Fields local(file, offset, kLocalBytes);
  const bool sizes_follow = (entry.u16(8) & kSizesFollow) != 0 && local.u32(18) == 0 && local.u32(22) == 0;
  const bool same = local.u32(0) == kLocalSignature && local.u16(6) == entry.u16(8) && local.u16(8) == 0 &&
                    (sizes_follow || (local.u32(18) == size && local.u32(22) == size)) &&
                    text_at(file, offset + kLocalBytes, local.u16(26)) == name;
  if (!same) reject(file, "record '" + name + "' has a local header that differs from the directory");
  const size_t begin = offset + kLocalBytes + local.u16(26) + local.u16(28);
  if (begin > file.size() || size > file.size() - begin) reject(file, "record '" + name + "' is cut off");
  return {begin, begin + size};
}

void check_apart(const MappedFile& file, std::vector<Span> spans) {
  std::sort(spans.begin(), spans.end(), [](const Span& a, const Span& b) { return a.begin < b.begin; });
  for (size_t i = 1; i < spans.size(); ++i) {
    if (spans[i].begin < spans[i - 1].end) reject(file, fmt::format("records overlap at {}", spans[i].begin));
  }
}

std::array<uint32_t, 256> crc_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value & 1) != 0 ? (value >> 1) ^ 0xEDB88320 : value >> 1;
    table[i] = value;
  }
  return table;
}

}  // namespace

uint32_t crc32_of(std::span<const std::byte> bytes) {
  static const std::array<uint32_t, 256> table = crc_table();
  uint32_t value = 0xffffffff;
  for (const std::byte byte : bytes) value = table[(value ^ static_cast<uint32_t>(byte)) & 0xff] ^ (value >> 8);
  return ~value;
}

ZipArchive ZipArchive::open(const std::filesystem::path& path) {
  ZipArchive archive;
  archive.file_ = MappedFile::open(path, "pt");
  const MappedFile& file = *archive.file_;
  const size_t end = find_end(file);
  const Fields summary(file, end, kEndBytes);
  if (summary.u16(4) != 0 || summary.u16(6) != 0 || summary.u16(8) != summary.u16(10)) refuse(file, "several disks");
  if (summary.u32(16) == kZip64 || summary.u16(10) == 0xffff) refuse(file, "zip64 records (4 GB or more)");
  size_t offset = summary.u32(16);
  std::vector<Span> spans;
  for (int i = 0; i < summary.u16(10); ++i) {
    const Fields entry(file, offset, kDirectoryBytes);
    if (entry.u32(0) != kDirectorySignature) reject(file, fmt::format("no directory entry at {}", offset));
    const std::string name = text_at(file, offset + kDirectoryBytes, entry.u16(28));
    if (!is_plain(name)) reject(file, "a record has a name that is no plain relative path");
    const Span span = data_of(file, entry, name);
    spans.push_back(span);
    const Record record{file.bytes().subspan(span.begin, span.end - span.begin), entry.u32(16)};
    if (!archive.records_.emplace(name, record).second) reject(file, "record '" + name + "' is there twice");
    offset += kDirectoryBytes + entry.u16(28) + entry.u16(30) + entry.u16(32);
  }
  if (offset > end) reject(file, "the directory runs over its end");
  check_apart(file, std::move(spans));
  return archive;
}

void ZipArchive::check_crc(const std::string& name) const {
  const Record& record = records_.at(name);
  if (crc32_of(record.bytes) != record.crc) reject(*file_, "record '" + name + "' does not have its checksum");
}

}  // namespace fi
