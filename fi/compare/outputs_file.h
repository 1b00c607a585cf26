#pragma once

#include <filesystem>
#include <vector>

#include "fi/capture/answer_pair.h"

namespace fi {

/// Reads answers that were made elsewhere: JSON lines with `prompt`, `base_output` and `target_output`, and `category` where the
/// file has categories; other fields are left alone, empty lines too. Several lines of one prompt are several answers to it. An
/// end mark at the end of an answer ("<|endoftext|>") is taken off and told as `base_finished` or `target_finished`; where no
/// answer of a model has one, all count as finished. All pairs have Split::kConfirmation.
/// kNotFound without the file; kInvalid names file and line; kUsage for a file without a pair or with more than 100,000.
std::vector<AnswerPair> read_outputs(const std::filesystem::path& path);

}  // namespace fi
