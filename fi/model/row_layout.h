#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

namespace fi {

/// Where the rows of one pass stand: each sequence's new tokens side by side, and what came before them: in a cache, or, where
/// nothing is cached, as rows of other sequences of the pass that begin alike.
struct RowLayout {
  at::Tensor positions;               // [rows] int64 on the model's device, position of every row in its sequence
  std::vector<int64_t> starts;        // [num_sequences + 1] rows at which sequences begin
  std::vector<int64_t> past;          // [num_sequences] tokens of each sequence before its new ones; empty: none
  std::vector<int64_t> slots;         // [num_sequences] cache slot of each sequence; empty: nothing is cached
  std::vector<at::Tensor> past_rows;  // [num_sequences] of [past] int64 rows of this pass, where nothing is cached

  size_t num_sequences() const { return starts.size() - 1; }
  int64_t num_rows() const { return starts.back(); }
  int64_t rows_of(size_t sequence) const { return starts[sequence + 1] - starts[sequence]; }
  int64_t past_of(size_t sequence) const { return past.empty() ? 0 : past[sequence]; }
  /// One new token for every cached sequence: a step of generation.
  bool is_one_row_each() const { return !slots.empty() && num_rows() == static_cast<int64_t>(num_sequences()); }
};

/// Layout of `starts` with positions filled in. `past` and `slots` as in RowLayout.
RowLayout make_layout(std::vector<int64_t> starts, std::vector<int64_t> past, std::vector<int64_t> slots, at::Device device);

}  // namespace fi
