#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "fi/io/stored_tensor.h"

namespace fi {

/// A metadata value. Integers of every width widen to 64 bits, f32 to double.
using GgufValue = std::variant<uint64_t, int64_t, double, bool, std::string, std::vector<int64_t>, std::vector<double>,
                               std::vector<bool>, std::vector<std::string>>;

/// A GGUF file (version 2 or 3, little endian), mapped. Nothing in it is believed: every length is compared with the bytes that
/// remain before anything is allocated. kInvalid errors name the file, the byte offset and the rule; kUnsupported for tensor
/// types that we cannot read.
class GgufFile {
 public:
  static GgufFile open(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  const std::map<std::string, GgufValue>& metadata() const { return metadata_; }
  const std::vector<StoredTensor>& tensors() const { return tensors_; }

  bool has(const std::string& key) const { return metadata_.contains(key); }
  /// Typed access; kInvalid if the key is absent or has another type.
  const std::string& get_string(const std::string& key) const;
  int64_t get_int(const std::string& key) const;
  double get_double(const std::string& key) const;
  bool get_bool(const std::string& key, bool fallback) const;
  const std::vector<std::string>& get_strings(const std::string& key) const;
  const std::vector<double>& get_doubles(const std::string& key) const;
  const std::vector<int64_t>& get_ints(const std::string& key) const;

 private:
  template <typename T>
  const T& get(const std::string& key, const char* expected) const;

  std::filesystem::path path_;
  std::map<std::string, GgufValue> metadata_;
  std::vector<StoredTensor> tensors_;
};

}  // namespace fi
