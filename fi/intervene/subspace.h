#pragma once

#include <ATen/ATen.h>

#include <cstdint>

namespace fi {

/// Nats a token: a share of a smaller gap between two models' log-probabilities has no meaning.
inline constexpr double kSmallestGap = 0.05;

/// A linear subspace of the residual stream.
struct Subspace {
  at::Tensor basis;  // [d_model, rank] fp32, orthonormal columns
};

/// Spanned by the leading right singular vectors of `rows` [n, d_model], not centred. The rank is at most `rank`, the number of
/// rows and the width.
Subspace leading_subspace(const at::Tensor& rows, int64_t rank);

/// Uniformly random, from a counter-based generator.
Subspace random_subspace(int64_t d_model, int64_t rank, uint64_t seed, uint64_t stream);

/// `rows` [n, d_model] with what lies inside the subspace taken from `source` [n, d_model] (interchange intervention: Geiger et
/// al., 2021).
at::Tensor exchange_inside(const at::Tensor& rows, const at::Tensor& source, const Subspace& subspace);

}  // namespace fi
