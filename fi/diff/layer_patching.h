#pragma once

#include <vector>

#include "fi/capture/traced_text.h"
#include "fi/core/progress.h"

namespace fi {

/// What each layer of the target does alone for the base.
struct LayerPatching {
  double kl = 0.0;                // mean KL(target || base) over texts, each the mean of its answer tokens, nats
  std::vector<double> recovered;  // [num_layers] share of it that is gone when the base has the target's block there
};

/// Gives the base one block of the target at a time and measures how far its predictions move to the target's (activation
/// patching: Vig et al., 2020; Meng et al., 2022, with a block's weights in place of its output). Both must have equal shapes.
LayerPatching patch_layers(const Decoder& base, const Decoder& target, const std::vector<TracedText>& texts,
                           ProgressSink& progress);

}  // namespace fi
