#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <vector>

#include "fi/capture/traced_text.h"
#include "fi/core/progress.h"

namespace fi {

/// What both models hold in their residual streams after one layer, row by row over the same ids.
struct PairedRows {
  int64_t layer = 0;
  at::Tensor base;                // [n, d_model] fp32 on the CPU
  at::Tensor target;              // [n, d_model]
  std::vector<int64_t> text;      // [n] index into the texts
  std::vector<int64_t> position;  // [n] of the token in its text
  int64_t num_masked = 0;         // rows dropped: position 0, special tokens, base norm over 4 times the median
};

/// Reads the texts with both models and keeps the rows of `layers`. Memory grows with texts x layers: meant for the few layers
/// that a closer look is worth.
std::vector<PairedRows> capture_rows(const Decoder& base, const Decoder& target, const std::vector<TracedText>& texts,
                                     const std::vector<int64_t>& layers, const std::function<bool(int32_t)>& is_special,
                                     ProgressSink& progress);

}  // namespace fi
