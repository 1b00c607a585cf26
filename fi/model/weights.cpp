#include "fi/model/weights.h"

#include "fi/core/error.h"

namespace fi {
namespace {

bool is_rotated(std::string_view name) {
  return name.find(".q_proj.") != std::string_view::npos || name.find(".k_proj.") != std::string_view::npos;
}

// Rows of every head from (x0, y0, x1, y1, ...) to (x0, x1, ..., y0, y1, ...).
at::Tensor pairs_to_halves(const at::Tensor& rows, int64_t head_dim) {
  const at::Tensor heads = rows.reshape({rows.size(0) / head_dim, head_dim / 2, 2, -1});
  return heads.transpose(1, 2).reshape(rows.sizes()).contiguous();
}

}  // namespace

void WeightStore::add(std::string name, StoredTensor tensor) {
  const auto [place, is_new] = tensors_.emplace(std::move(name), std::move(tensor));
  check(is_new, ErrorCode::kInvalid, "[model] tensor '{}' occurs in two weight files; remove one.", place->first);
}

at::Tensor WeightStore::take_float(const std::string& name, at::IntArrayRef shape) const {
  const auto found = tensors_.find(name);
  check(found != tensors_.end(), ErrorCode::kInvalid,
        "[model] tensor '{}' is missing from the weights; download the model again.", name);
  const StoredTensor& stored = found->second;
  check(at::IntArrayRef(stored.shape) == shape, ErrorCode::kIncompatible,
        "[model] tensor '{}' has shape [{}], but the config asks for [{}]; config and weights are of different models.", name,
        fmt::join(stored.shape, ", "), fmt::join(shape, ", "));
  at::Tensor tensor = at::empty(shape, at::kFloat);
  to_float(stored, 0, stored.num_values(), tensor.data_ptr<float>());
  used_.insert(name);
  if (options_.interleaved_head_dim > 0 && is_rotated(name)) tensor = pairs_to_halves(tensor, options_.interleaved_head_dim);
  if (options_.norm_offset != 0.0 && name.ends_with("norm.weight")) tensor.add_(options_.norm_offset);
  return tensor;
}

at::Tensor WeightStore::take(const std::string& name, at::IntArrayRef shape) const {
  return take_float(name, shape).to(options_.device);
}

WeightMatrixPtr WeightStore::take_matrix(const std::string& name, int64_t d_out, int64_t d_in) const {
  const at::Tensor weight = take(name, {d_out, d_in});
  switch (options_.held_as) {
    case HeldAs::kFp16: return hold_dense(weight.to(at::kHalf));
    case HeldAs::kBf16: return hold_dense(weight.to(at::kBFloat16));
    case HeldAs::kInt8: return hold_int8(weight);
    case HeldAs::kFp32: break;
  }
  return hold_for_products(weight);
}

WeightMatrixPtr WeightStore::take_table(const std::string& name, int64_t num_rows, int64_t width) const {
  const at::Tensor table = take(name, {num_rows, width});
  switch (options_.held_as) {
    case HeldAs::kBf16: return hold_dense(table.to(at::kBFloat16));
    case HeldAs::kFp16:
    case HeldAs::kInt8: return hold_dense(table.to(at::kHalf));
    case HeldAs::kFp32: break;
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
