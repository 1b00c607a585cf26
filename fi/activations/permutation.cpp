#include "fi/activations/permutation.h"

#include <algorithm>
#include <bit>

#include "fi/core/error.h"
#include "fi/core/random.h"

namespace fi {
namespace {

// The finaliser of splitmix64 (Steele et al., 2014).
uint64_t mix(uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

}  // namespace

Permutation::Permutation(uint64_t size, uint64_t seed, uint64_t stream) : size_(size) {
  invariant(size > 0, "a permutation of nothing");
  half_bits_ = std::max(1, (static_cast<int>(std::bit_width(size - 1)) + 1) / 2);
  Random random(seed, stream);
  for (uint64_t& key : keys_) key = random.next_u64();
}

uint64_t Permutation::once(uint64_t value) const {
  const uint64_t mask = (uint64_t{1} << half_bits_) - 1;
  uint64_t left = value >> half_bits_, right = value & mask;
  for (const uint64_t key : keys_) {
    const uint64_t next = left ^ (mix(right ^ key) & mask);
    left = right;
    right = next;
  }
  return (left << half_bits_) | right;
}

uint64_t Permutation::operator()(uint64_t index) const {
  invariant(index < size_, "index {} of a permutation of {}", index, size_);
  do {
    index = once(index);
  } while (index >= size_);
  return index;
}

}  // namespace fi
