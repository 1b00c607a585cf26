#include "fi/activations/row_source.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "fi/core/error.h"

namespace fi {

at::Tensor stack_rows(const std::vector<at::Tensor>& rows) {
  int64_t width = 0;
  for (const at::Tensor& part : rows) width = std::max(width, part.size(1));
  std::vector<at::Tensor> padded;
  for (const at::Tensor& part : rows) padded.push_back(at::constant_pad_nd(part, {0, width - part.size(1)}));
  return at::stack(padded, 1);
}

at::Tensor pair_rows(const at::Tensor& base, const at::Tensor& target) { return stack_rows({base, target}); }

at::Tensor read_rows(const RowSource& source, int64_t first, int64_t count) {
  std::vector<int64_t> indices(static_cast<size_t>(count));
  std::iota(indices.begin(), indices.end(), first);
  return source.gather(indices);
}

MemoryRows::MemoryRows(at::Tensor rows) : rows_(std::move(rows)) {
  invariant(rows_.dim() == 3 && rows_.scalar_type() == at::kFloat, "rows are [n, num_models, d_model] fp32");
}

at::Tensor MemoryRows::gather(std::span<const int64_t> indices) const {
  return rows_.index_select(0, at::tensor(at::ArrayRef<int64_t>(indices.data(), indices.size()), at::kLong));
}

RowRange::RowRange(const RowSource& source, int64_t first, int64_t count) : source_(source), first_(first), count_(count) {
  check(first >= 0 && count >= 0 && first <= source.num_rows() - count, ErrorCode::kUsage,
        "[activations] rows {} to {} were asked for, there are {}.", first, first + count, source.num_rows());
}

at::Tensor RowRange::gather(std::span<const int64_t> indices) const {
  std::vector<int64_t> moved(indices.begin(), indices.end());
  for (int64_t& index : moved) index += first_;
  return source_.gather(moved);
}

}  // namespace fi
