#include "fi/dictionary/linear_baselines.h"

#include <algorithm>

#include "fi/core/error.h"
#include "fi/core/random.h"

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

// [num_latents, width], unit norm
at::Tensor random_directions(int64_t num_latents, int64_t width, uint64_t seed) {
  Random random(seed, stream_of("random dictionary"));
  const at::Tensor directions = at::empty({num_latents, width}, at::kFloat);
  for (int64_t i = 0; i < directions.numel(); ++i) directions.data_ptr<float>()[i] = static_cast<float>(random.normal());
  return directions / directions.norm(2, {1}, true);
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

Crosscoder fit_random(const at::Tensor& rows, const RowScaling& scaling, int64_t num_latents, int64_t k, uint64_t seed) {
  const int64_t models = rows.size(1), width = rows.size(2);
  check(rows.size(0) > 0 && k > 0 && k <= num_latents, ErrorCode::kUsage, "[random] k is {}, expected 1 to {}.", k, num_latents);
  Crosscoder result = linear_dictionary(random_directions(num_latents, models * width, seed), at::zeros({models, width}), scaling,
                                        RowView::kModels);
  result.decoder = cut_to_widths(scaling, result.decoder);
  result.encoder = result.decoder.transpose(1, 2).contiguous();
  result.sparsity = Sparsity::kBatchTopK;
  result.k = k;
  const at::Tensor x = normalise(scaling, rows).flatten(1);
  const at::Tensor codes = encode(result, rows);
  const int64_t kept = std::min(codes.numel(), k * rows.size(0));
  result.threshold = std::get<0>(codes.flatten().kthvalue(codes.numel() - kept + 1)).item<double>();
  const at::Tensor guess = normalise(scaling, decode(result, encode(result, rows))).flatten(1);
  const double fit = (x * guess).sum(at::kDouble).item<double>(), size = guess.square().sum(at::kDouble).item<double>();
  if (size > 0.0) result.decoder = result.decoder * (fit / size);
  return result;
}

}  // namespace fi
