#pragma once

#include "fi/dictionary/crosscoder.h"
#include "fi/features/find_features.h"
#include "fi/features/scaling_sums.h"

namespace fi {

/// numerator / denominator with the 95% interval of a ratio estimator clustered by text; all 0 where the denominator is not
/// clearly above zero.
Ratio ratio_of(const RatioSums& sums, int64_t num_texts);

/// Fills the latent-scaling fields and the class of a feature from its sums. `scale` is what each model's rows were multiplied
/// by.
void classify(ScalingSums sums, const std::array<double, 2>& scale, const FeatureOptions& options, Feature& feature);

/// Makes an added or removed latent modified where a latent that the other model uses writes (almost) the same direction there:
/// its twin. That model has the feature, on other rows or through other latents.
void join_twins(const Crosscoder& crosscoder, const FeatureOptions& options, std::vector<Feature>& features);

}  // namespace fi
