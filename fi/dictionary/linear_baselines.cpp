#include "fi/dictionary/linear_baselines.h"

#include "fi/core/error.h"

namespace fi {
namespace {

// `directions` [rank, num_models * d_model], orthonormal.
Crosscoder linear_dictionary(const at::Tensor& directions, const at::Tensor& mean, const RowScaling& scaling, RowView view) {
  const int64_t models = mean.size(0), width = mean.size(1), rank = directions.size(0);
  Crosscoder result;
  result.encoder = directions.t().reshape({models, width, rank}).contiguous();
  result.encoder_bias = directions.matmul(mean.flatten()).neg();
  result.decoder = directions.view({rank, models, width}).permute({1, 0, 2}).contiguous();
  result.decoder_bias = mean.clone();
  result.scaling = scaling;
  result.view = view;
  result.sparsity = Sparsity::kLinear;
  result.code_norm = CodeNorm::kNone;
  return result;
}

}  // namespace

RowMoments moments_of(const at::Tensor& rows) {
  const at::Tensor flat = rows.flatten(1);
  const at::Tensor mean = flat.mean(at::IntArrayRef{0}, false, at::kDouble).to(at::kFloat);
  const at::Tensor centred = flat - mean;
  return {.mean = mean.view({rows.size(1), rows.size(2)}),
          .covariance = centred.t().matmul(centred) / static_cast<double>(rows.size(0))};
}

Crosscoder fit_pca(const RowMoments& moments, const RowScaling& scaling, RowView view, int64_t rank) {
  const int64_t size = moments.covariance.size(0);
  check(rank > 0 && rank <= size, ErrorCode::kUsage, "[pca] rank is {}, expected 1 to {}.", rank, size);
  const at::Tensor vectors = std::get<1>(at::linalg_eigh(moments.covariance));  // columns, ascending eigenvalues
  const at::Tensor leading = vectors.narrow(1, size - rank, rank).flip(1).t().contiguous();
  return linear_dictionary(leading, moments.mean, scaling, view);
}

Crosscoder fit_difference_in_means(const at::Tensor& rows) {
  const at::Tensor mean = view_rows(RowView::kDifference, rows).mean(at::IntArrayRef{0}, false, at::kDouble).to(at::kFloat);
  const double norm = mean.norm().item<double>();
  const at::Tensor direction = norm > 0 ? mean / norm : mean;
  return linear_dictionary(direction, at::zeros_like(mean), identity_scaling(1, rows.size(2)), RowView::kDifference);
}

}  // namespace fi
