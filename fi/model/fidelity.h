#pragma once

#include <cstdint>
#include <span>

#include "fi/core/progress.h"
#include "fi/model/decoder.h"

namespace fi {

/// What holding weights narrowly costs, over every position of some texts.
struct Fidelity {
  double mean_kl = 0.0;     // nats a token, KL(exact || narrow) of the next-token distributions
  double largest_kl = 0.0;  // nats, at the worst position
  double same_best = 0.0;   // share of positions with the same most likely token, 0 to 1
  int64_t num_tokens = 0;
};

/// Reads `texts` with both models, which have one vocabulary (kIncompatible otherwise). Texts without tokens are skipped.
Fidelity measure_fidelity(const Decoder& exact, const Decoder& narrow, std::span<const TokenIds> texts, ProgressSink& progress);

}  // namespace fi
