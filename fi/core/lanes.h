#pragma once

// Eight floats side by side: one AVX register, or two of SSE. Wider types make gcc 12 go through memory where AVX-512 is missing.
// Everything here is inlined, so that it is compiled for the machine of its caller (fi/core/target_clones.h).

namespace fi {

using Lanes = float __attribute__((vector_size(32)));
using UnalignedLanes = float __attribute__((vector_size(32), aligned(4), may_alias));
inline constexpr int kLanes = 8;

[[gnu::always_inline]] inline const UnalignedLanes& lanes_at(const float* place) {
  return *reinterpret_cast<const UnalignedLanes*>(place);
}
[[gnu::always_inline]] inline UnalignedLanes& lanes_at(float* place) { return *reinterpret_cast<UnalignedLanes*>(place); }

[[gnu::always_inline]] inline float sum_of(const Lanes& x) {
  using Half = float __attribute__((vector_size(16)));
  const Half half = __builtin_shufflevector(x, x, 0, 1, 2, 3) + __builtin_shufflevector(x, x, 4, 5, 6, 7);
  return (half[0] + half[2]) + (half[1] + half[3]);
}

}  // namespace fi
