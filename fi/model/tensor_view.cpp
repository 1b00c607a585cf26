#include "fi/model/tensor_view.h"

namespace fi {

std::vector<int64_t> TensorView::shape() const {
  std::vector<int64_t> sizes = stored.shape;
  if (is_transposed && sizes.size() == 2) std::swap(sizes[0], sizes[1]);
  if (!rows.empty()) sizes[0] = static_cast<int64_t>(rows.size());
  return sizes;
}

at::Tensor TensorView::to_float() const {
  at::Tensor tensor = at::empty(stored.shape, at::kFloat);
  fi::to_float(stored, 0, stored.num_values(), tensor.mutable_data_ptr<float>());
  if (is_transposed && tensor.dim() == 2) tensor = tensor.t();
  if (!rows.empty()) tensor = tensor.index_select(0, at::tensor(at::ArrayRef<int64_t>(rows), at::kLong));
  return tensor.contiguous();
}

TensorView slice_rows(const TensorView& view, const std::string& name, int64_t first, int64_t count) {
  TensorView slice = view;
  slice.name = name;
  slice.rows.clear();
  for (int64_t row = first; row < first + count; ++row) {
    slice.rows.push_back(view.rows.empty() ? row : view.rows[static_cast<size_t>(row)]);
  }
  return slice;
}

}  // namespace fi
