#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace fi {

/// Counter-based generator Philox4x32-10 (Salmon et al., SC 2011). Equal (seed, stream) give equal numbers on every machine,
/// and streams are independent, so every consumer takes a stream of its own instead of sharing state.
class Random {
 public:
  explicit Random(uint64_t seed, uint64_t stream = 0);

  uint32_t next_u32();
  uint64_t next_u64();
  /// Uniform in [0, 1), 53 bits.
  double uniform();
  /// Uniform in [0, bound), without bias; `bound` > 0.
  uint64_t below(uint64_t bound);
  /// Standard normal.
  double normal();

  template <typename T>
  void shuffle(std::vector<T>& items) {
    for (size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }

 private:
  std::array<uint32_t, 4> counter_;
  std::array<uint32_t, 2> key_;
  std::array<uint32_t, 4> block_;
  int used_ = 4;
};

/// A stream number for a name, so that code need not invent numbers: `Random(seed, stream_of("bootstrap"))`.
uint64_t stream_of(const char* name);

}  // namespace fi
