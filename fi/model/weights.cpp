#include "fi/model/weights.h"

#include <cmath>

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
  // One pass for sound weights: a sum is finite only if all its terms are.
  if (!std::isfinite(tensor.sum().item<double>())) num_non_finite_ += tensor.isfinite().logical_not_().sum().item<int64_t>();
  if (options_.interleaved_head_dim > 0 && is_rotated(name)) tensor = pairs_to_halves(tensor, options_.interleaved_head_dim);
  if (options_.norm_offset != 0.0 && name.ends_with("norm.weight")) tensor.add_(options_.norm_offset);
  return tensor;
}

at::Tensor WeightStore::take(const std::string& name, at::IntArrayRef shape) const {
  const at::ScalarType matrices = options_.held_as == at::kChar ? at::kHalf : options_.held_as;
  return take_float(name, shape).to(options_.device, shape.size() >= 2 ? matrices : at::kFloat);
}

std::vector<std::string> WeightStore::unused() const {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : tensors_) {
    if (!used_.contains(name)) names.push_back(name);
  }
  return names;
}

}  // namespace fi
