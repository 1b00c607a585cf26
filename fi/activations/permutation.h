#pragma once

#include <array>
#include <cstdint>

namespace fi {

/// A random order of 0 .. size-1 as a function: a Feistel network of six rounds on the smallest even number of bits, walking its
/// cycle until the value is in range (Black and Rogaway, 2002). Takes no memory, so an order needs not be stored to be resumed.
class Permutation {
 public:
  /// Equal (size, seed, stream) give equal orders on every machine. `size` > 0.
  Permutation(uint64_t size, uint64_t seed, uint64_t stream);

  uint64_t operator()(uint64_t index) const;

 private:
  uint64_t once(uint64_t value) const;

  uint64_t size_;
  int half_bits_;
  std::array<uint64_t, 6> keys_;
};

}  // namespace fi
