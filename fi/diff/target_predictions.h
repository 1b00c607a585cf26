#pragma once

#include "fi/capture/traced_text.h"

namespace fi {

/// What the target predicts where texts have answers, beside what another model does: its log-probabilities are computed once.
class TargetPredictions {
 public:
  TargetPredictions(const Decoder& target, const PackedTexts& texts);

  /// KL(target || model) of each predicting row, [n] double in nats on the CPU, for the model's last residual stream [num_tokens,
  /// d_model].
  at::Tensor kl_to(const Decoder& model, const at::Tensor& final_resid) const;

 private:
  at::Tensor rows_;               // [n] int64
  at::Tensor log_probabilities_;  // [n, vocab_size]
};

}  // namespace fi
