#pragma once

#include <filesystem>

#include "fi/hub/model_files.h"

namespace fi {

/// Writes a copy of a safetensors model into `folder`, with every matrix rounded to int8 with one scale a row (the largest
/// magnitude becomes 127) and held in fp32; the other files of the model are copied. It behaves as the model does, but for
/// rounding. kUnsupported for GGUF files, kDisk.
void write_rounded_copy(const ModelFiles& files, const std::filesystem::path& folder);

}  // namespace fi
