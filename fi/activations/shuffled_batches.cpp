#include "fi/activations/shuffled_batches.h"

#include <vector>

#include "fi/activations/permutation.h"
#include "fi/core/error.h"
#include "fi/core/random.h"

namespace fi {

ShuffledBatches::ShuffledBatches(const RowSource& source, int64_t batch_size, uint64_t seed)
    : source_(source), batch_size_(batch_size), seed_(seed) {
  check(source.num_rows() > 0 && batch_size > 0, ErrorCode::kUsage,
        "[activations] batches of {} rows were asked for, there are {} rows.", batch_size, source.num_rows());
}

std::vector<int64_t> ShuffledBatches::indices(int64_t step) const {
  const auto num_rows = static_cast<uint64_t>(source_.num_rows());
  const uint64_t stream = stream_of("batch order");
  uint64_t position = static_cast<uint64_t>(step) * static_cast<uint64_t>(batch_size_);
  uint64_t epoch = position / num_rows;
  Permutation order(num_rows, seed_, stream + epoch);
  std::vector<int64_t> result;
  result.reserve(static_cast<size_t>(batch_size_));
  for (; result.size() < static_cast<size_t>(batch_size_); ++position) {
    if (position / num_rows != epoch) {
      epoch = position / num_rows;
      order = Permutation(num_rows, seed_, stream + epoch);
    }
    result.push_back(static_cast<int64_t>(order(position % num_rows)));
  }
  return result;
}

}  // namespace fi
