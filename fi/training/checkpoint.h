#pragma once

#include <filesystem>
#include <optional>

#include "fi/training/training_state.h"

namespace fi {

/// Writes `folder`/checkpoint_<step>.safetensors whole or not at all, reads it back to compare checksums, then removes all but
/// the last two. kDisk on failure.
void save_checkpoint(const TrainingState& state, const TrainingConfig& config, const std::filesystem::path& folder);

/// The newest checkpoint in the folder, or nothing. kInvalid, naming the file, if it is damaged; kIncompatible if it was made
/// with other settings than `config`, naming the first that differs. num_steps and lr may differ: training goes on to the new
/// end, at the new rate.
std::optional<TrainingState> load_checkpoint(const TrainingConfig& config, const std::filesystem::path& folder);

}  // namespace fi
