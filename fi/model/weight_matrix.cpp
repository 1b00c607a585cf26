#include "fi/model/weight_matrix.h"

#include <ATen/core/dispatch/Dispatcher.h>

#include <algorithm>

namespace fi {
namespace {

// Rows widened at a time: the panel stays in the cache while the product reads it.
constexpr int64_t kPanelRows = 512;
// Rows of x that oneDNN lays weights out for: a step of generation. Products with more rows lose nothing by it.
constexpr int64_t kTypicalRows = 32;

class DenseMatrix final : public WeightMatrix {
 public:
  explicit DenseMatrix(at::Tensor weight) : WeightMatrix(weight.size(0), weight.size(1)), weight_(std::move(weight)) {}

  at::Device device() const override { return weight_.device(); }
  at::Tensor rows(int64_t first, int64_t count) const override { return weight_.narrow(0, first, count).to(at::kFloat); }
  at::Tensor look_up(const at::Tensor& ids) const override { return weight_.index_select(0, ids).to(at::kFloat); }
  at::Tensor multiply(const at::Tensor& x) const override {
    return weight_.scalar_type() == at::kFloat ? at::matmul(x, weight_.t()) : WeightMatrix::multiply(x);
  }

 private:
  at::Tensor weight_;
};

class Int8Matrix final : public WeightMatrix {
 public:
  explicit Int8Matrix(const at::Tensor& weight)
      : WeightMatrix(weight.size(0), weight.size(1)),
        scales_(weight.abs().amax(1, /*keepdim=*/true).clamp_min_(1e-12).div_(127.0)),
        quantised_(weight.div(scales_).round_().to(at::kChar)) {}

  at::Device device() const override { return quantised_.device(); }
  at::Tensor rows(int64_t first, int64_t count) const override {
    return quantised_.narrow(0, first, count).to(at::kFloat).mul_(scales_.narrow(0, first, count));
  }

 private:
  at::Tensor scales_;     // [d_out, 1]
  at::Tensor quantised_;  // [d_out, d_in] int8
};

using PackSignature = at::Tensor(const at::Tensor&, std::optional<c10::SymInt>);
using ProductSignature = at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&, std::string_view,
                                    c10::List<std::optional<at::Scalar>>, std::optional<std::string_view>);

bool has_packed_products() {
  static const bool found = at::hasMKLDNN() && at::globalContext().userEnabledMkldnn() &&
                            c10::Dispatcher::singleton().findSchema({"mkldnn::_reorder_linear_weight", ""}) &&
                            c10::Dispatcher::singleton().findSchema({"mkldnn::_linear_pointwise", ""});
  return found;
}

class PackedMatrix final : public WeightMatrix {
 public:
  explicit PackedMatrix(const at::Tensor& weight) : WeightMatrix(weight.size(0), weight.size(1)) {
    static const auto pack =
        c10::Dispatcher::singleton().findSchemaOrThrow("mkldnn::_reorder_linear_weight", "").typed<PackSignature>();
    packed_ = pack.call(weight, c10::SymInt(kTypicalRows));
  }

  at::Tensor rows(int64_t first, int64_t count) const override { return packed_.to_dense().narrow(0, first, count); }
  at::Tensor multiply(const at::Tensor& x) const override {
    if (x.requires_grad()) return at::matmul(x, to_float().t());  // the packed product has no derivative
    static const auto product =
        c10::Dispatcher::singleton().findSchemaOrThrow("mkldnn::_linear_pointwise", "").typed<ProductSignature>();
    return product.call(x.contiguous(), packed_, std::nullopt, "none", c10::List<std::optional<at::Scalar>>(), "");
  }

 private:
  at::Tensor packed_;  // opaque
};

}  // namespace

at::Tensor WeightMatrix::look_up(const at::Tensor& ids) const {
  const at::Tensor on_cpu = ids.to(at::kCPU);
  std::vector<at::Tensor> found;
  for (int64_t i = 0; i < on_cpu.numel(); ++i) found.push_back(rows(on_cpu.const_data_ptr<int64_t>()[i], 1));
  return at::cat(found);
}

at::Tensor WeightMatrix::multiply(const at::Tensor& x) const {
  at::Tensor y = at::empty({x.size(0), d_out_}, x.options());
  for (int64_t row = 0; row < d_out_; row += kPanelRows) {
    const int64_t count = std::min(kPanelRows, d_out_ - row);
    y.narrow(1, row, count).copy_(at::matmul(x, rows(row, count).t()));
  }
  return y;
}

WeightMatrixPtr hold_dense(at::Tensor weight) { return std::make_shared<DenseMatrix>(std::move(weight)); }

WeightMatrixPtr hold_for_products(const at::Tensor& weight) {
  if (!weight.is_cpu() || weight.scalar_type() != at::kFloat || !has_packed_products()) return hold_dense(weight);
  return std::make_shared<PackedMatrix>(weight);
}

WeightMatrixPtr hold_int8(const at::Tensor& weight) { return std::make_shared<Int8Matrix>(weight); }

}  // namespace fi
