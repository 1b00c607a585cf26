#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "fi/training/active_codes.h"

namespace fi {

/// A ratio of two sums over texts, with what its standard error needs.
struct RatioSums {
  double numerator = 0.0;
  double denominator = 0.0;
  double numerator_squares = 0.0;  // sums over texts of products of the text's sums
  double denominator_squares = 0.0;
  double products = 0.0;

  void add_text(double text_numerator, double text_denominator);
};

/// Sums over rows that latent scaling needs of one latent (Minder, Dumas et al. 2504.02922, in closed form). Index p is the
/// probe: the latent's decoder vector in the base (0) or target (1); index m the model whose rows are projected on it. f is the
/// code.
struct ScalingSums {
  int64_t num_firings = 0;
  int64_t num_texts = 0;  // with at least one firing
  double squares = 0.0;   // sum f^2
  double codes = 0.0;     // sum f
  float largest = 0.0F;
  std::array<double, 3> products{};  // of the latent's vectors: base.base, base.target, target.target

  // of f
  std::array<std::array<double, 2>, 2> error{};           // [p][m] sum f <d[p], x[m] - reconstruction[m] + f d[m]>
  std::array<std::array<double, 2>, 2> reconstruction{};  // [p][m] sum f <d[p], reconstruction[m]>
  std::array<RatioSums, 2> error_ratio;                   // [p] error[p][other model] over error[p][p], by text
};

/// Sums of every latent, and its firings by category: [num_latents * num_categories].
struct LatentSums {
  std::vector<ScalingSums> sums;
  std::vector<int64_t> firings_by_category;
};

/// The sums as if rows had not been normalised by a scale for each model: what one model holds is compared in the models' own
/// units.
void to_raw_units(const std::array<double, 2>& scale, ScalingSums& sums);

/// Streams blocks of rows into the sums of every latent. A text's rows must come together, in any number of blocks. Parallel over
/// latents; every sum is made by one thread in the order of rows.
class ScalingAccumulator {
 public:
  /// `decoder` is [num_latents, 2 * d_model], a latent's vectors side by side; it must outlive this.
  ScalingAccumulator(int64_t num_latents, int64_t d_model, const float* decoder, int64_t num_categories);

  /// `errors` and `reconstructions` are [num_rows, 2 * d_model]; text and category of each row.
  void add(const ActiveCodes& active, const float* errors, const float* reconstructions, std::span<const int32_t> texts,
           std::span<const int32_t> categories);
  /// Counts the last text of every latent in. Call once.
  LatentSums finish();

 private:
  struct OpenText {
    int32_t text = -1;
    std::array<double, 2> numerator{};
    std::array<double, 2> denominator{};
  };

  void add_entry(const ActiveCodes& active, size_t entry, int64_t latent, const float* errors, const float* reconstructions,
                 std::span<const int32_t> texts);
  void close_text(int64_t latent);

  int64_t d_model_;
  int64_t num_categories_;
  const float* decoder_;
  std::vector<ScalingSums> sums_;
  std::vector<OpenText> open_;

  std::vector<int64_t> firings_;
};

}  // namespace fi
