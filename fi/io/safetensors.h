#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "fi/io/stored_tensor.h"

namespace fi {

/// A safetensors file, mapped. Accepts what the reference reader accepts, and refuses what it refuses: holes, overlaps, trailing
/// bytes, sizes that do not match shapes; also duplicate keys. Every rejection is a kInvalid error that names file and rule.
class SafetensorsFile {
 public:
  static SafetensorsFile open(const std::filesystem::path& path);

  const std::vector<StoredTensor>& tensors() const { return tensors_; }
  const StoredTensor* find(std::string_view name) const;
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

 private:
  std::vector<StoredTensor> tensors_;  // in file order
  std::map<std::string, std::string> metadata_;
};

/// A tensor to be written; `bytes` must stay valid during the call.
struct TensorToWrite {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;
};

/// Writes atomically, in the order given. kDisk on failure.
void write_safetensors(const std::filesystem::path& path, const std::vector<TensorToWrite>& tensors,
                       const std::map<std::string, std::string>& metadata);

}  // namespace fi
