#pragma once

#include <cstdint>
#include <string>

#include "fi/compare/models.h"
#include "fi/compare/options.h"
#include "fi/core/json.h"
#include "fi/prompts/prompt_set.h"

namespace fi {

/// What the answers of a run depend on, as activations/identity.json keeps it: hashes of the files of both models, prompts, how
/// weights are held, answer length, seed. Every weight is read once, 0.6 s a GB
/// where the processor has instructions for SHA.
Json run_identity(const PairFiles& files, const PromptSet& prompts, const CompareOptions& options);

/// What differs between two of these, in words: "weights of the target, seed"; empty if nothing does. What an older version did
/// not keep counts as equal.
std::string identity_difference(const Json& earlier, const Json& now);

}  // namespace fi
