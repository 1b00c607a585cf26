#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "fi/io/mapped_file.h"

namespace fi {

/// A zip file whose records are stored, not compressed: what `torch.save` writes. Nothing in it is believed: names must be plain
/// and unique, local headers must agree with the directory, records must lie apart within the file, checksums must hold. kInvalid
/// names the file and the rule; kUnsupported for compression, encryption, several disks and zip64 (4 GB and more).
class ZipArchive {
 public:
  static ZipArchive open(const std::filesystem::path& path);

  struct Record {
    std::span<const std::byte> bytes;
    uint32_t crc = 0;
  };
  const std::map<std::string, Record>& records() const { return records_; }
  const std::shared_ptr<const MappedFile>& file() const { return file_; }
  /// kInvalid if the record's bytes do not have its checksum.
  void check_crc(const std::string& name) const;

 private:
  std::shared_ptr<const MappedFile> file_;
  std::map<std::string, Record> records_;
};

/// CRC-32 of zip and gzip (polynomial 0xEDB88320).
uint32_t crc32_of(std::span<const std::byte> bytes);

}  // namespace fi
