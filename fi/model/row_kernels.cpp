#include "fi/model/row_kernels.h"

#include <cmath>

#include "fi/core/lanes.h"
#include "fi/core/target_clones.h"
#include "fi/core/vector_kernels.h"

namespace fi {

FI_CLONES void score_rows(int64_t width, int64_t count, const float* query, const float* keys, float* scores) {
  for (int64_t t = 0; t < count; ++t, keys += width) {
    Lanes even = {}, odd = {};
    int64_t i = 0;
    for (; i + 2 * kLanes <= width; i += 2 * kLanes) {
      even += lanes_at(query + i) * lanes_at(keys + i);
      odd += lanes_at(query + i + kLanes) * lanes_at(keys + i + kLanes);
    }
    float score = sum_of(even + odd);
    for (; i < width; ++i) score += query[i] * keys[i];
    scores[t] = score;
  }
}

FI_CLONES void mix_rows(int64_t width, int64_t count, const float* shares, const float* values, float* out) {
  int64_t i = 0;
  for (; i + 4 * kLanes <= width; i += 4 * kLanes) {
    Lanes sums[4] = {};
    for (int64_t t = 0; t < count; ++t) {
      for (int k = 0; k < 4; ++k) sums[k] += shares[t] * lanes_at(values + t * width + i + k * kLanes);
    }
    for (int k = 0; k < 4; ++k) lanes_at(out + i + k * kLanes) = sums[k];
  }
  for (; i < width; ++i) {
    out[i] = 0.0F;
    for (int64_t t = 0; t < count; ++t) out[i] += shares[t] * values[t * width + i];
  }
}

FI_CLONES void rms_norm_row(int64_t width, float epsilon, const float* x, const float* weight, float* out) {
  const float scale = 1.0F / std::sqrt(dot_product(width, x, x) / static_cast<float>(width) + epsilon);
  for (int64_t i = 0; i < width; ++i) out[i] = x[i] * scale * weight[i];
}

FI_CLONES void rotate_row(int64_t width, const float* x, const float* cos, const float* sin, float* out) {
  const int64_t half = width / 2;
  for (int64_t i = 0; i < half; ++i) out[i] = x[i] * cos[i] + x[i + half] * sin[i];
  for (int64_t i = half; i < width; ++i) out[i] = x[i] * cos[i] + x[i - half] * sin[i];
}

}  // namespace fi
