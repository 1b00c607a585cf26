#pragma once

#include <vector>

#include "fi/activations/row_source.h"
#include "fi/core/progress.h"
#include "fi/dictionary/crosscoder.h"
#include "fi/features/find_features.h"
#include "fi/features/scaling_sums.h"

namespace fi {

/// What latents do in models whose vectors cannot be set against one another: of other widths, or after other blocks. error[m][m]
/// is how far model m's rows reach along the latent's own direction there, summed over the rows where it fires, in normalised
/// units; error_ratio[m] the other model's reach over it, by text. What would compare vectors of both models is 0.
///
/// A latent's own direction in a model is the vector that fits the model's rows best where it fires (least squares of what the
/// other latents leave unexplained), and is fitted on half of the texts and measured on the other half, both ways: noise that it
/// fits there is not found again here, and a model that lacks the feature reaches 0 on average. Two passes over the rows, whose
/// memory does not grow with their number.
LatentSums own_strengths(const Crosscoder& crosscoder, const RowSource& rows, const RowLabels& labels, ProgressSink& progress);

/// As join_twins, where directions say nothing: latents of one model each that fire on the same rows, to the same degree (cosine
/// of their codes at least `options.twin_code_cosine`), are one feature that the dictionary split.
void join_twins_by_codes(const Crosscoder& crosscoder, const RowSource& rows, const FeatureOptions& options,
                         std::vector<Feature>& features, ProgressSink& progress);

}  // namespace fi
