#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "fi/io/safetensors.h"

namespace fi {

/// Writes tensors as they are, so that a test can bend a dictionary file.
inline void write_parts(const std::filesystem::path& path, const std::map<std::string, at::Tensor>& tensors) {
  std::vector<TensorToWrite> entries;
  for (const auto& [name, tensor] : tensors) {
    const DType dtype = tensor.scalar_type() == at::kLong  ? DType::kI64
                        : tensor.scalar_type() == at::kInt ? DType::kI32
                                                           : DType::kF32;
    entries.push_back(
        {name, dtype, tensor.sizes().vec(), {static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()}});
  }
  write_safetensors(path, entries, {});
}

/// A tensor of a file in fp32.
inline at::Tensor stored_tensor(const SafetensorsFile& file, const char* name) {
  const StoredTensor* tensor = file.find(name);
  if (tensor == nullptr) return {};
  const at::Tensor values = at::empty(tensor->shape, at::kFloat);
  to_float(*tensor, 0, tensor->num_values(), values.data_ptr<float>());
  return values;
}

}  // namespace fi
