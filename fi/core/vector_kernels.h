#pragma once

#include <cstdint>

namespace fi {

/// Sums are kept in 32 fixed lanes, so all machines add in the same order.

/// y += a * x
void add_scaled(int64_t n, float a, const float* x, float* y);
/// sum x * y
float dot_product(int64_t n, const float* x, const float* y);

}  // namespace fi
