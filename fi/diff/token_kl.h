#pragma once

#include <vector>

#include "fi/capture/traced_text.h"
#include "fi/core/progress.h"

namespace fi {

/// KL(p || q) of each row in nats, [n] double on the CPU, from log-probabilities [n, vocab_size] of each.
at::Tensor kl_of_rows(const at::Tensor& log_p, const at::Tensor& log_q);

/// KL(target || base) of the predictions of each answer token, [n] double on the CPU, in nats: a value a row of
/// `texts.predicting`. The residual rows [num_tokens, d_model] are those after each model's last layer.
at::Tensor kl_of_predictions(const Decoder& base, const Decoder& target, const PackedTexts& texts, const at::Tensor& base_resid,
                             const at::Tensor& target_resid);

/// The same for each answer token of each text, as both models read it: [num_texts][num_answer_tokens]. An answer that begins
/// its text has no value for its first token. The models have one vocabulary.
std::vector<std::vector<double>> token_kl(const Decoder& base, const Decoder& target, const std::vector<TracedText>& texts,
                                          ProgressSink& progress);

}  // namespace fi
