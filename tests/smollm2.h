#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>

namespace fi {

/// The packaged SmolLM2 model that `make setup` fetches: $FI_SMOLLM2, or .cache/models in the source tree. Nothing where it is
/// absent.
inline std::optional<std::filesystem::path> smollm2_path() {
  const char* given = std::getenv("FI_SMOLLM2");
  const std::filesystem::path path =
      given != nullptr ? given : std::filesystem::path(FI_TEST_DATA) / "../../.cache/models/SmolLM2-135M-Instruct.Q4_1.gguf";
  return std::filesystem::is_regular_file(path) ? std::optional(path) : std::nullopt;
}

}  // namespace fi
