#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "fi/claims/ledger.h"
#include "fi/compare/locate.h"

namespace fi {

/// Users sample; a run takes the likeliest token. For the strongest changes both models answer confirmation prompts again,
/// sampled with several seeds, the same for both. Writes activations/sampled_answers.json: for each change its "detector" and
/// "categories", and of every prompt the answers of both models with what the detector measures.
void write_sampled_answers(const LocateInputs& inputs, ProgressSink& progress);

/// The effects that such a file holds; none where there is no file, as of runs on given answers. kInvalid for a damaged one.
std::vector<SampledChange> read_sampled_answers(const std::filesystem::path& path, uint64_t seed);

}  // namespace fi
