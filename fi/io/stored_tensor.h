#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace fi {

class MappedFile;

/// Element and block types that weight files hold. Block types (kQ*) store groups of values with shared scales.
enum class DType {
  kF64,
  kF32,
  kF16,
  kBF16,
  kI64,
  kI32,
  kI16,
  kI8,
  kU8,
  kBool,
  kQ4_0,
  kQ4_1,
  kQ5_0,
  kQ5_1,
  kQ8_0,
  kQ4_K,
  kQ5_K,
  kQ6_K
};

/// Such as "F16" or "Q4_K", as the file formats spell it.
const char* dtype_name(DType dtype);
/// Values per block (1 for plain types) and bytes per block.
int64_t dtype_block_size(DType dtype);
int64_t dtype_block_bytes(DType dtype);

/// A tensor inside a mapped weight file: nothing is copied until it is converted.
struct StoredTensor {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;              // outermost first, row-major, as PyTorch counts (GGUF's order is reversed on reading)
  std::span<const std::byte> bytes;        // exactly the tensor's data
  std::shared_ptr<const MappedFile> file;  // keeps the mapping alive

  int64_t num_values() const;
};

/// Widens any dtype to float: `out` has room for `count` values, starting at value `first`, a multiple of the block size.
void to_float(const StoredTensor& tensor, int64_t first, int64_t count, float* out);

}  // namespace fi
