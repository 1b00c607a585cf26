#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <string>
#include <vector>

#include "fi/io/stored_tensor.h"

namespace fi {

/// A tensor as the decoder wants it, seen in a checkpoint that may store it fused with others, in another order of rows, or
/// transposed. Nothing is read until it is asked for.
struct TensorView {
  std::string name;  // canonical: as a Hugging Face checkpoint of Llama, or of Gemma 2 where it has more norms, would call it
  StoredTensor stored;
  bool is_transposed = false;  // stored [d_in, d_out], as GPT-2's layers are
  std::vector<int64_t> rows;   // which rows of the (transposed) stored tensor, in order; empty: all

  std::vector<int64_t> shape() const;
  /// The whole view widened to fp32.
  at::Tensor to_float() const;
};

/// `count` rows of `view` from `first` on.
TensorView slice_rows(const TensorView& view, const std::string& name, int64_t first, int64_t count);

/// `view` with its rows taken in the order that `source_of(row)` gives.
template <typename Order>
TensorView reorder_rows(TensorView view, Order&& source_of) {
  const int64_t count = view.shape().front();
  std::vector<int64_t> rows;
  for (int64_t row = 0; row < count; ++row) {
    const int64_t source = source_of(row);
    rows.push_back(view.rows.empty() ? source : view.rows[static_cast<size_t>(source)]);
  }
  view.rows = std::move(rows);
  return view;
}

}  // namespace fi
