#pragma once

#include "fi/model/packed_batch.h"
#include "fi/model/row_layout.h"

namespace fi {

/// Computes once what sequences of a batch begin with alike, such as a chat template or one prompt before two answers: in a
/// causal model these rows depend on nothing behind them. The rows of the first sequence that has them stand for all.
class SharedBeginnings {
 public:
  SharedBeginnings(const PackedBatch& batch, at::Device device, bool shares = true);

  const RowLayout& layout() const { return layout_; }  // of the rows to compute
  TokenIds ids(const PackedBatch& batch) const;        // [num_rows] of the rows to compute

  /// Rows to compute [num_rows, d_model] out of all rows [num_tokens, d_model]. If these differ between sequences, which somebody
  /// who changed them may have caused, nothing is shared from here on.
  at::Tensor rows_of(const at::Tensor& all);
  /// All rows [num_tokens, d_model] of the batch from the computed ones.
  at::Tensor all_of(const at::Tensor& rows) const;

 private:
  bool is_sharing() const { return computed_.defined(); }

  RowLayout layout_;
  RowLayout whole_;      // of the whole batch
  at::Tensor computed_;  // [num_rows] int64 rows of the batch that are computed; undefined: all
  at::Tensor source_;    // [num_tokens] int64 computed row that each row of the batch equals
};

}  // namespace fi
