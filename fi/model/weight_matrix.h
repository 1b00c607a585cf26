#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>

#include "fi/io/stored_tensor.h"

namespace fi {

/// One weight matrix W [d_out, d_in] as memory holds it; products are computed in fp32 whatever that is. Immutable, shared by
/// every model that is made from another.
class WeightMatrix {
 public:
  virtual ~WeightMatrix() = default;

  int64_t d_out() const { return d_out_; }
  int64_t d_in() const { return d_in_; }
  int64_t num_values() const { return d_out_ * d_in_; }
  virtual at::Device device() const { return at::kCPU; }

  /// Rows [first, first + count) widened to fp32: [count, d_in].
  virtual at::Tensor rows(int64_t first, int64_t count) const = 0;
  /// Rows by number, `ids` [n] int64 -> [n, d_in] fp32.
  virtual at::Tensor look_up(const at::Tensor& ids) const;
  /// x [n, d_in] fp32 -> x W^T [n, d_out] fp32. Unless a kind knows better, in panels of rows that are widened one by one.
  virtual at::Tensor multiply(const at::Tensor& x) const;

  at::Tensor to_float() const { return rows(0, d_out_); }

 protected:
  WeightMatrix(int64_t d_out, int64_t d_in) : d_out_(d_out), d_in_(d_in) {}

 private:
  int64_t d_out_, d_in_;
};

using WeightMatrixPtr = std::shared_ptr<const WeightMatrix>;

/// As the tensor is: fp32, fp16 or bf16, on any device.
WeightMatrixPtr hold_dense(at::Tensor weight);
/// fp32 in the order in which oneDNN's product reads it, where the processor has one; else dense. One copy, as large as the dense
/// one: products with few rows are then up to twice as fast, as nothing is rearranged before each.
WeightMatrixPtr hold_for_products(const at::Tensor& weight);
/// Symmetric int8 with one scale per row: W = scale * q.
WeightMatrixPtr hold_int8(const at::Tensor& weight);

}  // namespace fi
