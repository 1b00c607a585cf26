#include "fi/activations/row_statistics.h"

#include <algorithm>

namespace fi {
namespace {

constexpr int64_t kBlockRows = 4096;

}  // namespace

RowStatistics::RowStatistics(int64_t num_models, int64_t d_model)
    : sum_(at::zeros({num_models, d_model}, at::kDouble)), square_sum_(at::zeros({num_models}, at::kDouble)) {}

void RowStatistics::add(const at::Tensor& rows) {
  sum_ += rows.sum(at::IntArrayRef{0}, false, at::kDouble);
  square_sum_ += rows.square().sum(at::IntArrayRef{0, 2}, false, at::kDouble);
  num_rows_ += rows.size(0);
}

at::Tensor RowStatistics::mean() const { return sum_.div(static_cast<double>(std::max<int64_t>(1, num_rows_))).to(at::kFloat); }

at::Tensor RowStatistics::scale() const {
  const double rows = static_cast<double>(std::max<int64_t>(1, num_rows_));
  const at::Tensor total = square_sum_ / rows - (sum_ / rows).square().sum(at::IntArrayRef{1});
  const at::Tensor variance = total / static_cast<double>(sum_.size(1));
  return at::where(variance > 0, variance.clamp_min(1e-30).rsqrt(), at::ones_like(variance)).to(at::kFloat);
}

RowStatistics statistics_of(const RowSource& source) {
  RowStatistics statistics(source.num_models(), source.d_model());
  for (int64_t first = 0; first < source.num_rows(); first += kBlockRows) {
    statistics.add(read_rows(source, first, std::min(kBlockRows, source.num_rows() - first)));
  }
  return statistics;
}

}  // namespace fi
