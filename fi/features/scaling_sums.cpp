#include "fi/features/scaling_sums.h"

#include <algorithm>

#include "fi/training/step_kernels.h"

namespace fi {

void RatioSums::add_text(double text_numerator, double text_denominator) {
  numerator += text_numerator;
  denominator += text_denominator;
  numerator_squares += text_numerator * text_numerator;
  denominator_squares += text_denominator * text_denominator;
  products += text_numerator * text_denominator;
}

void to_raw_units(const std::array<double, 2>& scale, ScalingSums& sums) {
  for (size_t p = 0; p < 2; ++p) {
    const double factor = scale[p] / scale[1 - p];
    sums.error[p][1 - p] *= factor;
    sums.reconstruction[p][1 - p] *= factor;
    sums.error_ratio[p].numerator *= factor;
    sums.error_ratio[p].numerator_squares *= factor * factor;
    sums.error_ratio[p].products *= factor;
  }
}

ScalingAccumulator::ScalingAccumulator(int64_t num_latents, int64_t d_model, const float* decoder, int64_t num_categories)
    : d_model_(d_model),
      num_categories_(num_categories),
      decoder_(decoder),
      sums_(static_cast<size_t>(num_latents)),
      open_(static_cast<size_t>(num_latents)),
      firings_(static_cast<size_t>(num_latents * num_categories)) {
  for (int64_t j = 0; j < num_latents; ++j) {
    const float* base = decoder + j * 2 * d_model;
    const float* target = base + d_model;
    sums_[static_cast<size_t>(j)].products = {dot_product(d_model, base, base), dot_product(d_model, base, target),
                                              dot_product(d_model, target, target)};
  }
}

void ScalingAccumulator::close_text(int64_t latent) {
  OpenText& open = open_[static_cast<size_t>(latent)];
  if (open.text < 0) return;
  ScalingSums& sums = sums_[static_cast<size_t>(latent)];
  for (size_t p = 0; p < 2; ++p) sums.error_ratio[p].add_text(open.numerator[p], open.denominator[p]);
  ++sums.num_texts;
  open = {};
}

void ScalingAccumulator::add_entry(const ActiveCodes& active, size_t entry, int64_t latent, const float* errors,
                                   const float* reconstructions, std::span<const int32_t> texts) {
  const auto j = static_cast<size_t>(latent);
  const int64_t row = active.row[entry];
  const double f = active.code[entry];
  ScalingSums& sums = sums_[j];
  ++sums.num_firings;
  sums.squares += f * f;
  sums.codes += f;
  sums.largest = std::max(sums.largest, active.code[entry]);
  OpenText& open = open_[j];
  if (open.text != texts[static_cast<size_t>(row)]) {
    close_text(latent);
    open.text = texts[static_cast<size_t>(row)];
  }
  for (size_t p = 0; p < 2; ++p) {
    const float* probe = decoder_ + (latent * 2 + static_cast<int64_t>(p)) * d_model_;
    for (size_t m = 0; m < 2; ++m) {
      const int64_t at = (row * 2 + static_cast<int64_t>(m)) * d_model_;
      const double error = f * (dot_product(d_model_, probe, errors + at) + f * sums.products[p + m]);
      sums.error[p][m] += error;
      sums.reconstruction[p][m] += f * static_cast<double>(dot_product(d_model_, probe, reconstructions + at));
      (p == m ? open.denominator : open.numerator)[p] += error;
    }
  }
}

void ScalingAccumulator::add(const ActiveCodes& active, const float* errors, const float* reconstructions,
                             std::span<const int32_t> texts, std::span<const int32_t> categories) {
  const auto num_latents = static_cast<int64_t>(sums_.size());
#pragma omp parallel for schedule(dynamic, 16)
  for (int64_t j = 0; j < num_latents; ++j) {
    const auto begin = active.latent_start[static_cast<size_t>(j)], end = active.latent_start[static_cast<size_t>(j) + 1];
    for (int64_t i = begin; i < end; ++i) {
      const auto entry = static_cast<size_t>(active.by_latent[static_cast<size_t>(i)]);
      add_entry(active, entry, j, errors, reconstructions, texts);
      ++firings_[static_cast<size_t>(j * num_categories_ + categories[static_cast<size_t>(active.row[entry])])];
    }
  }
}

LatentSums ScalingAccumulator::finish() {
  for (int64_t j = 0; j < static_cast<int64_t>(sums_.size()); ++j) close_text(j);
  return {std::move(sums_), std::move(firings_)};
}

}  // namespace fi
