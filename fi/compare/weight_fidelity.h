#pragma once

#include <vector>

#include "fi/capture/answer_pair.h"
#include "fi/compare/models.h"

namespace fi {

/// What holding the weights of a run narrowly costs: {"base": {"mean_kl", "largest_kl", "same_best_token", "num_tokens"},
/// "target": ...}, KL from the exact model in nats, over a few prompts with the model's own answers. Null for weights that are
/// held exactly. The exact model is left in its file, so that it takes no memory beside the narrow one.
Json weight_fidelity(const ModelPair& pair, const std::vector<AnswerPair>& answers, const CompareOptions& options,
                     ProgressSink& progress);

/// {"weights of the base held in int8": sentence, ...} for the report, from what the manifest holds.
Json fidelity_notes(const Json& fidelity, const std::string& quantization);

}  // namespace fi
