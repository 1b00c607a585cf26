#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "fi/activations/row_source.h"
#include "fi/dictionary/crosscoder.h"

namespace fi {

/// Scaled codes of chosen latents on all rows of a source: [num_rows, num_latents].
at::Tensor codes_of(const Crosscoder& crosscoder, const RowSource& rows, const std::vector<int64_t>& latents);

/// How strongly both models use chosen latents on every row of a source, in raw units: [num_rows, num_latents, 2], base and
/// target. A model uses a latent on a row as strongly as its row, without what the other latents explain, reaches along the
/// latent's vector in the model that writes it more: <u, x - reconstruction + code * d>, the quantity of latent scaling (Minder,
/// Dumas et al. 2504.02922), where the latent fires; 0 elsewhere. Models without a common space reach along the latent's vector
/// of their own.
at::Tensor reach_of_latents(const Crosscoder& crosscoder, const RowSource& rows, const std::vector<int64_t>& latents,
                            bool has_one_space = true);

/// How much either model uses chosen latents.
struct LatentUse {
  at::Tensor strength;                      // [num_latents, num_categories, 2] the reach summed over the category's rows
  std::vector<double> rows_by_category;     // [num_categories]
  std::vector<double> share_of_difference;  // [num_latents] of the squared (centred) difference of the models' rows; 0 without a
                                            // common space
};

/// Over rows of the categories given, [num_rows]. The difference is explained by code * (d_target - d_base).
LatentUse use_of_latents(const Crosscoder& crosscoder, const RowSource& rows, const std::vector<int32_t>& categories,
                         int64_t num_categories, const std::vector<int64_t>& latents, bool has_one_space = true);

/// Unit vector of a latent in a model, in raw units: [d_model].
at::Tensor unit_vector(const Crosscoder& crosscoder, int64_t model, int64_t latent);
/// The model, 0 or 1, that has the larger vector of a latent, in raw units.
int64_t stronger_model(const Crosscoder& crosscoder, int64_t latent);

}  // namespace fi
