#include "fi/io/stored_tensor.h"

#include <array>
#include <bit>
#include <cstring>

#include "fi/core/error.h"
#include "fi/io/block_formats.h"

namespace fi {
namespace {

struct Layout {
  const char* name;
  int64_t block_size;  // values
  int64_t block_bytes;
};

const Layout& layout_of(DType dtype) {
  static constexpr std::array<Layout, 18> kLayouts = {{{"F64", 1, 8},
                                                       {"F32", 1, 4},
                                                       {"F16", 1, 2},
                                                       {"BF16", 1, 2},
                                                       {"I64", 1, 8},
                                                       {"I32", 1, 4},
                                                       {"I16", 1, 2},
                                                       {"I8", 1, 1},
                                                       {"U8", 1, 1},
                                                       {"BOOL", 1, 1},
                                                       {"Q4_0", 32, 18},
                                                       {"Q4_1", 32, 20},
                                                       {"Q5_0", 32, 22},
                                                       {"Q5_1", 32, 24},
                                                       {"Q8_0", 32, 34},
                                                       {"Q4_K", 256, 144},
                                                       {"Q5_K", 256, 176},
                                                       {"Q6_K", 256, 210}}};
  return kLayouts.at(static_cast<size_t>(dtype));
}

template <typename Stored>
void widen(const std::byte* data, int64_t count, float* out) {
  for (int64_t i = 0; i < count; ++i) {
    Stored value;
    std::memcpy(&value, data + i * static_cast<int64_t>(sizeof(Stored)), sizeof value);
    out[i] = static_cast<float>(value);
  }
}

void widen_bf16(const std::byte* data, int64_t count, float* out) {
  for (int64_t i = 0; i < count; ++i) {
    uint16_t bits;
    std::memcpy(&bits, data + 2 * i, sizeof bits);
    out[i] = std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
  }
}

}  // namespace

const char* dtype_name(DType dtype) { return layout_of(dtype).name; }
int64_t dtype_block_size(DType dtype) { return layout_of(dtype).block_size; }
int64_t dtype_block_bytes(DType dtype) { return layout_of(dtype).block_bytes; }

int64_t StoredTensor::num_values() const {
  int64_t product = 1;
  for (const int64_t size : shape) product *= size;
  return product;
}

void to_float(const StoredTensor& tensor, int64_t first, int64_t count, float* out) {
  const Layout& layout = layout_of(tensor.dtype);
  invariant(first % layout.block_size == 0 && first >= 0 && count >= 0 && first + count <= tensor.num_values(),
            "[to_float] rows {}+{} of '{}' are not whole blocks inside the tensor.", first, count, tensor.name);
  const std::byte* data = tensor.bytes.data() + first / layout.block_size * layout.block_bytes;
  switch (tensor.dtype) {
    case DType::kF64: return widen<double>(data, count, out);
    case DType::kF32: return widen<float>(data, count, out);
    case DType::kF16: return half_to_float(data, count, out);
    case DType::kBF16: return widen_bf16(data, count, out);
    case DType::kI64: return widen<int64_t>(data, count, out);
    case DType::kI32: return widen<int32_t>(data, count, out);
    case DType::kI16: return widen<int16_t>(data, count, out);
    case DType::kI8: return widen<int8_t>(data, count, out);
    case DType::kU8:
    case DType::kBool: return widen<uint8_t>(data, count, out);
    default: return dequantise_blocks(tensor.dtype, data, count, out);
  }
}

}  // namespace fi
