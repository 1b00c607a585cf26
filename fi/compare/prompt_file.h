#pragma once

#include <filesystem>

#include "fi/core/json.h"

namespace fi {

/// Keeps prompt categories that a caller holds in memory as a file in `folder`, so that a run can be repeated and resumed from
/// its options. Its name is made from its content: other prompts never stand under the same name. Errors as `prompts_from_json`,
/// kDisk.
std::filesystem::path keep_prompts(const Json& categories, const std::filesystem::path& folder);

}  // namespace fi
