#include "fi/model/weights.h"

#include <algorithm>
#include <cmath>

#include "fi/core/error.h"
#include "fi/model/stored_matrix.h"

namespace fi {
namespace {

// One pass over sound weights: a sum is finite only if all its terms are.
int64_t count_non_finite(const at::Tensor& values) {
  return std::isfinite(values.sum().item<double>()) ? 0 : values.isfinite().logical_not_().sum().item<int64_t>();
}

bool is_left_in_file(const TensorView& view, const WeightStore::Options& options) {
  const bool is_stored = options.held_as == HeldAs::kStored || options.held_as == HeldAs::kStoredRounded;
  return is_stored && options.device.is_cpu() && has_whole_rows(view);
}

}  // namespace

void WeightStore::add(TensorView tensor) {
  std::string name = tensor.name;
  const auto [place, is_new] = tensors_.emplace(std::move(name), std::move(tensor));
  check(is_new, ErrorCode::kInvalid, "[model] tensor '{}' occurs in two weight files; remove one.", place->first);
}

const TensorView& WeightStore::find(const std::string& name, at::IntArrayRef shape) const {
  const auto found = tensors_.find(name);
  check(found != tensors_.end(), ErrorCode::kInvalid,
        "[model] tensor '{}' is missing from the weights; download the model again.", name);
  const std::vector<int64_t> stored = found->second.shape();
  check(at::IntArrayRef(stored) == shape, ErrorCode::kIncompatible,
        "[model] tensor '{}' has shape [{}], but the config asks for [{}]; config and weights are of different models.", name,
        fmt::join(stored, ", "), fmt::join(shape, ", "));
  used_.insert(name);
  return found->second;
}

at::Tensor WeightStore::take(const std::string& name, at::IntArrayRef shape) const {
  const TensorView& view = find(name, shape);
  if (options_.device.is_meta()) return at::empty(shape, at::TensorOptions().dtype(at::kFloat).device(at::kMeta));
  at::Tensor tensor = view.to_float();
  if (const int64_t count = count_non_finite(tensor)) non_finite_[name] = count;
  if (options_.norm_offset != 0.0 && name.ends_with("norm.weight")) tensor.add_(options_.norm_offset);
  return tensor.to(options_.device);
}

WeightMatrixPtr WeightStore::leave_in_file(const TensorView& view) const {
  constexpr int64_t kPanelRows = 512;
  const WeightMatrixPtr matrix = hold_stored(view, options_.held_as == HeldAs::kStoredRounded);
  int64_t count = 0;
  for (int64_t row = 0; row < matrix->d_out(); row += kPanelRows)
    count += count_non_finite(matrix->rows(row, std::min(kPanelRows, matrix->d_out() - row)));
  if (count > 0) non_finite_[view.name] = count;
  return matrix;
}

WeightMatrixPtr WeightStore::take_matrix(const std::string& name, int64_t d_out, int64_t d_in) const {
  if (const TensorView& view = find(name, {d_out, d_in}); is_left_in_file(view, options_)) return leave_in_file(view);
  const at::Tensor weight = take(name, {d_out, d_in});
  switch (options_.held_as) {
    case HeldAs::kFp16: return hold_dense(weight.to(at::kHalf));
    case HeldAs::kBf16:
    case HeldAs::kStoredRounded: return hold_dense(weight.to(at::kBFloat16));
    case HeldAs::kInt8: return hold_int8(weight);
    case HeldAs::kFp32:
    case HeldAs::kStored: break;
  }
  return hold_for_products(weight);
}

WeightMatrixPtr WeightStore::take_table(const std::string& name, int64_t num_rows, int64_t width) const {
  if (const TensorView& view = find(name, {num_rows, width}); is_left_in_file(view, options_)) return leave_in_file(view);
  const at::Tensor table = take(name, {num_rows, width});
  switch (options_.held_as) {
    case HeldAs::kBf16:
    case HeldAs::kStoredRounded: return hold_dense(table.to(at::kBFloat16));
    case HeldAs::kFp16:
    case HeldAs::kInt8: return hold_dense(table.to(at::kHalf));
    case HeldAs::kFp32:
    case HeldAs::kStored: break;
  }
  return hold_dense(table);
}

std::vector<std::string> WeightStore::unused() const {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : tensors_) {
    if (!used_.contains(name)) names.push_back(name);
  }
  return names;
}

}  // namespace fi
