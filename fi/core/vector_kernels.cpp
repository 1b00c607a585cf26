#include "fi/core/vector_kernels.h"

#include "fi/core/lanes.h"
#include "fi/core/target_clones.h"

namespace fi {

FI_CLONES void add_scaled(int64_t n, float a, const float* x, float* y) {
  int64_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    const Lanes low = lanes_at(y + i) + a * lanes_at(x + i), high = lanes_at(y + i + kLanes) + a * lanes_at(x + i + kLanes);
    lanes_at(y + i) = low;
    lanes_at(y + i + kLanes) = high;
  }
  for (; i < n; ++i) y[i] += a * x[i];
}

FI_CLONES float dot_product(int64_t n, const float* x, const float* y) {
  Lanes sums[4] = {};
  int64_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
    for (int k = 0; k < 4; ++k) sums[k] += lanes_at(x + i + k * kLanes) * lanes_at(y + i + k * kLanes);
  }
  float sum = sum_of((sums[0] + sums[2]) + (sums[1] + sums[3]));
  for (; i < n; ++i) sum += x[i] * y[i];
  return sum;
}

}  // namespace fi
