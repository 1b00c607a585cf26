#pragma once

#include <ATen/ATen.h>

#include "fi/activations/row_source.h"

namespace fi {

/// Mean and spread of each model's rows, one pass, sums in double.
class RowStatistics {
 public:
  RowStatistics(int64_t num_models, int64_t d_model);

  /// `rows` is [n, num_models, d_model].
  void add(const at::Tensor& rows);

  int64_t num_rows() const { return num_rows_; }
  /// [num_models, d_model] fp32; 0 before the first row.
  at::Tensor mean() const;
  /// [num_models] fp32: what brings centred rows to a mean squared norm of d_model; 1 where rows do not vary. Models weigh
  /// the same in what is trained on them, whatever their own widths.
  at::Tensor scale() const;

 private:
  at::Tensor sum_;         // [num_models, d_model] fp64
  at::Tensor square_sum_;  // [num_models] fp64
  int64_t num_rows_ = 0;
};

RowStatistics statistics_of(const RowSource& source);

}  // namespace fi
