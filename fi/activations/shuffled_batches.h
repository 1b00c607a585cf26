#pragma once

#include "fi/activations/row_source.h"

namespace fi {

/// Batches in a random order, a new one each epoch, as a function of the step: nothing has to be stored to resume.
class ShuffledBatches {
 public:
  /// `source` must outlive this. kUsage if it has no rows.
  ShuffledBatches(const RowSource& source, int64_t batch_size, uint64_t seed);

  /// Row indices of a batch. Batches follow each other without gap; one may span the end of an epoch.
  std::vector<int64_t> indices(int64_t step) const;
  /// [batch_size, num_models, d_model]
  at::Tensor batch(int64_t step) const { return source_.gather(indices(step)); }

 private:
  const RowSource& source_;
  int64_t batch_size_;
  uint64_t seed_;
};

}  // namespace fi
