#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "fi/tokenizer/tokenizer.h"

namespace fi {

/// Sequences laid end to end without padding. Attention never crosses a boundary and positions restart at 0 in each sequence.
struct PackedBatch {
  TokenIds ids;                 // [num_tokens]
  std::vector<int64_t> starts;  // [num_sequences + 1]; starts.back() == num_tokens

  int64_t num_tokens() const { return static_cast<int64_t>(ids.size()); }
  int64_t num_sequences() const { return static_cast<int64_t>(starts.size()) - 1; }
};

PackedBatch pack(std::span<const TokenIds> sequences);

}  // namespace fi
