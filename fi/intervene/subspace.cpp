#include "fi/intervene/subspace.h"

#include <algorithm>

#include "fi/core/random.h"

namespace fi {

Subspace leading_subspace(const at::Tensor& rows, int64_t rank) {
  const int64_t kept = std::min({rank, rows.size(0), rows.size(1)});
  const at::Tensor wide = rows.to(at::kDouble);
  const auto [values, vectors] = at::linalg_eigh(at::matmul(wide.t(), wide));
  return {vectors.narrow(1, vectors.size(1) - kept, kept).to(at::kFloat).contiguous()};
}

Subspace random_subspace(int64_t d_model, int64_t rank, uint64_t seed, uint64_t stream) {
  Random random(seed, stream);
  at::Tensor gaussian = at::empty({d_model, std::min(rank, d_model)}, at::kDouble);
  for (int64_t i = 0; i < gaussian.numel(); ++i) gaussian.mutable_data_ptr<double>()[i] = random.normal();
  return {std::get<0>(at::linalg_qr(gaussian)).to(at::kFloat).contiguous()};
}

at::Tensor exchange_inside(const at::Tensor& rows, const at::Tensor& source, const Subspace& subspace) {
  return rows + at::matmul(at::matmul(source - rows, subspace.basis), subspace.basis.t());
}

}  // namespace fi
