#include "fi/io/block_formats.h"

#include <bit>
#include <cstring>

#include "fi/core/error.h"

namespace fi {
namespace {

float half_bits_to_float(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000u) << 16;
  const uint32_t magnitude = half & 0x7fffu;
  if (magnitude >= 0x7c00u) return std::bit_cast<float>(sign | 0x7f800000u | ((magnitude & 0x3ffu) << 13));
  // Shifts exponent and mantissa into place; the multiplication re-biases the exponent and normalises subnormals alike.
  const float scaled = std::bit_cast<float>(magnitude << 13) * 0x1.0p112f;
  return std::bit_cast<float>(std::bit_cast<uint32_t>(scaled) | sign);
}

float half_at(const uint8_t* data) {
  uint16_t bits;
  std::memcpy(&bits, data, sizeof bits);
  return half_bits_to_float(bits);
}

uint32_t bits_at(const uint8_t* data) {
  uint32_t bits;
  std::memcpy(&bits, data, sizeof bits);
  return bits;
}

// Legacy blocks: 32 values, the low nibbles are values 0..15, the high nibbles 16..31; 5-bit types add a bit from a 32-bit mask.

void block_q4(const uint8_t* quants, float scale, float offset, float* out) {
  for (int i = 0; i < 16; ++i) {
    out[i] = static_cast<float>(quants[i] & 15) * scale + offset;
    out[i + 16] = static_cast<float>(quants[i] >> 4) * scale + offset;
  }
}

void block_q5(const uint8_t* quants, uint32_t high, float scale, float offset, float* out) {
  for (int i = 0; i < 16; ++i) {
    const uint32_t low_value = (quants[i] & 15u) | (((high >> i) & 1u) << 4);
    const uint32_t high_value = static_cast<uint32_t>(quants[i] >> 4) | (((high >> (i + 16)) & 1u) << 4);
    out[i] = static_cast<float>(low_value) * scale + offset;
    out[i + 16] = static_cast<float>(high_value) * scale + offset;
  }
}

void dequantise_q4_0(const uint8_t* block, float* out) {
  const float d = half_at(block);
  block_q4(block + 2, d, -8.0f * d, out);
}

void dequantise_q4_1(const uint8_t* block, float* out) { block_q4(block + 4, half_at(block), half_at(block + 2), out); }

void dequantise_q5_0(const uint8_t* block, float* out) {
  const float d = half_at(block);
  block_q5(block + 6, bits_at(block + 2), d, -16.0f * d, out);
}

void dequantise_q5_1(const uint8_t* block, float* out) {
  block_q5(block + 8, bits_at(block + 4), half_at(block), half_at(block + 2), out);
}

void dequantise_q8_0(const uint8_t* block, float* out) {
  const float d = half_at(block);
  for (int i = 0; i < 32; ++i) out[i] = d * static_cast<float>(static_cast<int8_t>(block[2 + i]));
}

struct ScaleAndMin {
  float scale;
  float min;
};

// Eight 6-bit scales and eight 6-bit minimums in 12 bytes: the first four of each lie in the low bits of bytes 0..7, the last
// four are split between bytes 8..11 and the top bits of bytes 0..7.
ScaleAndMin k_scale(const uint8_t* packed, int i) {
  if (i < 4) return {static_cast<float>(packed[i] & 63), static_cast<float>(packed[i + 4] & 63)};
  return {static_cast<float>((packed[i + 4] & 15) | ((packed[i - 4] >> 6) << 4)),
          static_cast<float>((packed[i + 4] >> 4) | ((packed[i] >> 6) << 4))};
}

// Both Q4_K and Q5_K walk four pairs of 32-value groups; `high` is null for Q4_K.
void dequantise_k45(const uint8_t* block, const uint8_t* high, const uint8_t* quants, float* out) {
  const float d = half_at(block);
  const float dmin = half_at(block + 2);
  for (int group = 0; group < 8; ++group) {
    const ScaleAndMin k = k_scale(block + 4, group);
    const uint8_t* q = quants + (group / 2) * 32;
    const int shift = (group % 2) * 4;
    for (int i = 0; i < 32; ++i) {
      uint32_t value = (q[i] >> shift) & 15u;
      if (high != nullptr) value |= ((high[i] >> group) & 1u) << 4;
      out[group * 32 + i] = d * k.scale * static_cast<float>(value) - dmin * k.min;
    }
  }
}

void dequantise_q4_k(const uint8_t* block, float* out) { dequantise_k45(block, nullptr, block + 16, out); }
void dequantise_q5_k(const uint8_t* block, float* out) { dequantise_k45(block, block + 16, block + 48, out); }

void dequantise_q6_k(const uint8_t* block, float* out) {
  const float d = half_at(block + 208);
  const auto* scales = reinterpret_cast<const int8_t*>(block + 192);
  for (int half = 0; half < 2; ++half) {
    const uint8_t* low = block + half * 64;
    const uint8_t* high = block + 128 + half * 32;
    for (int i = 0; i < 128; ++i) {
      const int quarter = i / 32;
      const int lane = i % 32;
      const uint32_t nibble = (low[lane + (quarter % 2) * 32] >> (quarter / 2 * 4)) & 15u;
      const uint32_t value = nibble | (((high[lane] >> (quarter * 2)) & 3u) << 4);
      const float scale = d * static_cast<float>(scales[half * 8 + i / 16]);
      out[half * 128 + i] = scale * static_cast<float>(static_cast<int>(value) - 32);
    }
  }
}

using BlockFunction = void (*)(const uint8_t*, float*);

BlockFunction function_for(DType dtype) {
  switch (dtype) {
    case DType::kQ4_0: return dequantise_q4_0;
    case DType::kQ4_1: return dequantise_q4_1;
    case DType::kQ5_0: return dequantise_q5_0;
    case DType::kQ5_1: return dequantise_q5_1;
    case DType::kQ8_0: return dequantise_q8_0;
    case DType::kQ4_K: return dequantise_q4_k;
    case DType::kQ5_K: return dequantise_q5_k;
    case DType::kQ6_K: return dequantise_q6_k;
    default: fail(ErrorCode::kInternal, "[dequantise] {} is no block format.", dtype_name(dtype));
  }
}

}  // namespace

void half_to_float(const std::byte* data, int64_t count, float* out) {
  for (int64_t i = 0; i < count; ++i) out[i] = half_at(reinterpret_cast<const uint8_t*>(data) + 2 * i);
}

void dequantise_blocks(DType dtype, const std::byte* data, int64_t count, float* out) {
  const BlockFunction dequantise = function_for(dtype);
  const int64_t block_size = dtype_block_size(dtype);
  const int64_t block_bytes = dtype_block_bytes(dtype);
  const auto* block = reinterpret_cast<const uint8_t*>(data);
  for (int64_t i = 0; i < count; i += block_size, block += block_bytes) dequantise(block, out + i);
}

}  // namespace fi
