#include "fi/model/stored_matrix.h"

#include <ATen/Parallel.h>

namespace fi {
namespace {

constexpr int64_t kRowsPerTask = 16;  // widened by one thread without a break

class StoredMatrix final : public WeightMatrix {
 public:
  StoredMatrix(TensorView view, bool is_rounded)
      : WeightMatrix(view.shape()[0], view.shape()[1]), view_(std::move(view)), is_rounded_(is_rounded) {}

  at::Tensor rows(int64_t first, int64_t count) const override {
    return widened(count, [&](int64_t i) { return first + i; });
  }

  at::Tensor look_up(const at::Tensor& ids) const override {
    const at::Tensor wanted = ids.contiguous();
    return widened(wanted.numel(), [&](int64_t i) { return wanted.const_data_ptr<int64_t>()[i]; });
  }

 private:
  template <typename RowAt>
  at::Tensor widened(int64_t count, RowAt&& row_at) const {
    at::Tensor values = at::empty({count, d_in()}, at::kFloat);
    float* out = values.mutable_data_ptr<float>();
    at::parallel_for(0, count, kRowsPerTask, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) fi::to_float(view_.stored, stored_row(row_at(i)) * d_in(), d_in(), out + i * d_in());
    });
    return is_rounded_ ? values.to(at::kBFloat16).to(at::kFloat) : values;
  }

  int64_t stored_row(int64_t row) const { return view_.rows.empty() ? row : view_.rows[static_cast<size_t>(row)]; }

  TensorView view_;
  bool is_rounded_;
};

}  // namespace

bool has_whole_rows(const TensorView& view) {
  return !view.is_transposed && view.stored.shape.size() == 2 && view.stored.shape[1] % dtype_block_size(view.stored.dtype) == 0;
}

WeightMatrixPtr hold_stored(TensorView view, bool is_rounded) {
  return std::make_shared<StoredMatrix>(std::move(view), is_rounded);
}

}  // namespace fi
