#pragma once

#include <cstddef>
#include <cstdint>

#include "fi/io/stored_tensor.h"

namespace fi {

/// IEEE half precision to float, exact.
void half_to_float(const std::byte* data, int64_t count, float* out);

/// Blocks of a GGUF quantisation to float; `count` is a multiple of the block size. Layouts as the GGUF format defines them:
/// Q4_0/Q5_0/Q8_0: value = d * q; Q4_1/Q5_1: d * q + m; K-quants: super-blocks of 256 with 6-bit (Q4_K, Q5_K) or 8-bit (Q6_K)
/// scales.
void dequantise_blocks(DType dtype, const std::byte* data, int64_t count, float* out);

}  // namespace fi
