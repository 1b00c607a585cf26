#pragma once

#include <algorithm>
#include <cstdint>

namespace fi {

/// Steps of a decoder layer on one row in memory. A step of generation has few rows: what costs then is the number of passes over
/// them and of threads that wait, not arithmetic.

/// out = x / sqrt(mean(x^2) + epsilon) * weight
void rms_norm_row(int64_t width, float epsilon, const float* x, const float* weight, float* out);

/// out = x * cos + swapped * sin, where the halves of x are swapped.
void rotate_row(int64_t width, const float* x, const float* cos, const float* sin, float* out);

/// scores[t] = query . keys[t], for `count` rows of keys.
void score_rows(int64_t width, int64_t count, const float* query, const float* keys, float* scores);

/// out = sum over t of shares[t] * values[t]
void mix_rows(int64_t width, int64_t count, const float* shares, const float* values, float* out);

/// Rows of `width` values that are worth a thread's while.
inline int64_t rows_a_task(int64_t width) { return std::max<int64_t>(1, 8192 / width); }

}  // namespace fi
