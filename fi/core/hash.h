#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace fi {

/// Streaming SHA-256.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  void update(std::string_view bytes);
  /// 64 lower-case hexadecimal digits. Call once.
  std::string finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256_of_bytes(std::string_view bytes);
/// Reads the file in blocks; kNotFound or kInvalid on failure.
std::string sha256_of_file(const std::filesystem::path& path);

/// XXH3, 64 bits: for checksums inside our own files, not against an adversary.
uint64_t xxh3_of_bytes(std::string_view bytes);

}  // namespace fi
