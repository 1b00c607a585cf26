#pragma once

#include "fi/dictionary/crosscoder.h"

namespace fi {

/// First and second moments of normalised rows, enough for a PCA: sums grow with d_model, not with the number of rows.
struct RowMoments {
  at::Tensor mean;        // [num_models, d_model]
  at::Tensor covariance;  // [num_models * d_model, num_models * d_model]
};

/// Moments of `rows` [n, num_models, d_model].
RowMoments moments_of(const at::Tensor& rows);

/// The `rank` leading principal components of the moments as a linear dictionary, with orthonormal latents over all models
/// together. `scaling` is stored with it; the moments are of rows normalised by it. kUsage if rank exceeds num_models * d_model.
Crosscoder fit_pca(const RowMoments& moments, const RowScaling& scaling, RowView view, int64_t rank);

/// The difference in means as a linear dictionary of one latent on RowView::kDifference: rows [n, 2, d_model] of both models.
Crosscoder fit_difference_in_means(const at::Tensor& rows);

/// What a dictionary of this size explains without having learned anything: random directions as tied encoder and decoder, the
/// threshold at which `rows` [n, num_models, d_model] have `k` codes a row, and the one decoder scale that reconstructs them
/// best.
Crosscoder fit_random(const at::Tensor& rows, const RowScaling& scaling, int64_t num_latents, int64_t k, uint64_t seed);

}  // namespace fi
