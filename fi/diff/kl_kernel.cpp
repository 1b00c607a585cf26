#include "fi/diff/kl_kernel.h"

#include <algorithm>
#include <cmath>

#include "fi/core/lanes.h"
#include "fi/core/target_clones.h"

namespace fi {
namespace {

constexpr int64_t kBlock = 1024;       // values that are summed in float before they are added in double
constexpr float kSmallest = -87.0F;    // below it e^x is no normal float
constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: adding it rounds to a whole number, which then stands in the lowest bits

using Whole = int32_t __attribute__((vector_size(32)));

// e^x for x <= 0: 2^n times a polynomial on [-ln 2 / 2, ln 2 / 2] (Cephes, expf).
[[gnu::always_inline]] inline void exponential(const Lanes& given, Lanes& result) {
  const Lanes x = given < kSmallest ? Lanes{} + kSmallest : given;
  const Lanes shifted = x * 1.44269504F + kRound, n = shifted - kRound;
  const Lanes r = x - n * 0.693359375F + n * 2.12194440e-4F;
  Lanes p = Lanes{} + 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * (r * r) + r + 1.0F;
  result = (Lanes)((Whole)p + ((Whole)shifted << 23));
}

}  // namespace

FI_CLONES double kl_of_row(int64_t n, const float* log_p, const float* log_q) {
  double total = 0.0;
  int64_t i = 0;
  while (i + kLanes <= n) {
    const int64_t end = std::min(n - kLanes, i + kBlock - kLanes);
    Lanes sum = {};
    for (; i <= end; i += kLanes) {
      const Lanes own = lanes_at(log_p + i);  // aligned, as a reference to Lanes has to be
      Lanes p;
      exponential(own, p);
      sum += p * (own - lanes_at(log_q + i));
    }
    total += static_cast<double>(sum_of(sum));
  }
  for (; i < n; ++i) total += static_cast<double>(std::exp(log_p[i]) * (log_p[i] - log_q[i]));
  return total;
}

}  // namespace fi
