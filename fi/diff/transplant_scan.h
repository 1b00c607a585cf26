#pragma once

#include <vector>

#include "fi/capture/traced_text.h"
#include "fi/core/progress.h"

namespace fi {

/// What one range of the target's blocks does for the base.
struct TransplantEffect {
  int64_t first = 0;  // blocks [first, last)
  int64_t last = 0;
  std::vector<double> share_by_text;  // of the base-to-target gap in mean log-probability of the answer, per text
  double share = 0.0;                 // mean over texts
};

struct TransplantScan {
  std::vector<TransplantEffect> tried;  // every range that was measured
  int64_t first = 0;                    // the smallest range that closes `kCarryingShare`; first == last: none does
  int64_t last = 0;
  double gap = 0.0;  // mean log-probability of the answers, target less base, nats a token
};

/// A range of blocks carries a change if it closes this share of the gap.
inline constexpr double kCarryingShare = 0.8;

/// Gives the base ranges of the target's blocks and measures how probable it then finds the target's own answers. Ranges lie on a
/// grid of a sixth of the depth and are tried from short to long. Texts are prompts with the target's answers; those without a
/// gap are left out.
TransplantScan scan_transplants(const Decoder& base, const Decoder& target, const std::vector<TracedText>& texts,
                                ProgressSink& progress);

}  // namespace fi
