#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace fi {

using ByteSpan = std::pair<size_t, size_t>;  // [begin, end) of a text

/// A token of the base and one of the target after which both have read the text up to the same byte.
struct AlignedPosition {
  size_t base = 0;  // index of the token
  size_t target = 0;
  size_t end = 0;  // bytes of the text read so far
};

struct Alignment {
  std::vector<AlignedPosition> positions;  // ascending
  size_t num_bytes_covered = 0;            // of the text, up to the last shared boundary
};

/// Lays two tokenizations of one text over each other by the bytes that their tokens cover. Of several tokens that end at one
/// byte (parts of a character) the last counts. Spans are in the order of the text; empty ones (BOS) are passed over.
Alignment align(const std::vector<ByteSpan>& base, const std::vector<ByteSpan>& target);

}  // namespace fi
