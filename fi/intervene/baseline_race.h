#pragma once

#include <string>
#include <vector>

#include "fi/capture/traced_text.h"
#include "fi/core/progress.h"
#include "fi/core/statistics.h"
#include "fi/intervene/subspace.h"

namespace fi {

/// A method's answer to where a change lies after one layer: the span of its directions.
struct Contestant {
  std::string method;  // "difference in means", "PCA of the difference", "crosscoder latents", ...
  Subspace subspace;
};

/// How one of them did on texts that none was made on.
struct RaceRow {
  std::string method;
  int64_t num_directions = 0;
  /// Share of the mean KL(target || base) over answer tokens that is gone when the base gets the target's values inside the
  /// subspace; below 0 if that moves it further away. Its 95% interval resamples texts.
  double kl_removed = 0.0;
  Interval interval;
  /// How well the size of the difference inside the subspace, over the last rows of a prompt, tells prompts that the change is
  /// about from others: area under the ROC curve, 0.5 for chance.
  double discrimination = 0.5;

  double kl_per_direction() const { return num_directions > 0 ? kl_removed / static_cast<double>(num_directions) : 0.0; }
};

struct RaceTexts {
  std::vector<TracedText> trigger;    // prompts that the change is about, with the target's answers
  std::vector<TracedText> elsewhere;  // other prompts
};

/// Area under the ROC curve: the chance that a value of `positive` is above one of `negative`, ties counting half; 0.5 if one is
/// empty.
double area_under_curve(const std::vector<double>& positive, const std::vector<double>& negative);

/// Lets all contestants start after one layer on the same texts. Empty where the two models predict alike there (KL under 0.001
/// nats). The models must have equal shapes.
std::vector<RaceRow> race_subspaces(const Decoder& base, const Decoder& target, int64_t layer,
                                    const std::vector<Contestant>& contestants, const RaceTexts& texts, uint64_t seed,
                                    ProgressSink& progress);

}  // namespace fi
