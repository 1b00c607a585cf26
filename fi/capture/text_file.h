#pragma once

#include <filesystem>
#include <vector>

#include "fi/capture/traced_text.h"

namespace fi {

/// Name of the file in a folder of stored rows.
inline constexpr const char* kTextsFile = "texts.safetensors";

/// Writes every id of the texts to `folder`/texts.safetensors: `ids` [num_tokens] I32 end to end, `starts` [num_texts + 1] and
/// `answer_starts` [num_texts] I64; where the target has readings of its own, these as `target_ids`, `target_starts`,
/// `target_answer_starts`, and `partners` [num_tokens] I32 (OwnReading). Rows alone lack the tokens that were left out, and
/// cannot be read by a model again.
void write_texts(const std::filesystem::path& folder, const std::vector<TracedText>& texts);

/// Reads them back, without categories. kNotFound if rows were stored by a version that kept no texts, kInvalid for a damaged
/// file.
std::vector<TracedText> read_texts(const std::filesystem::path& folder);

}  // namespace fi
