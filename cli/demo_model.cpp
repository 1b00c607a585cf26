#include "cli/demo_model.h"

#include <cstdlib>
#include <filesystem>

#include "fi/core/error.h"

namespace fi {

std::string demo_model() {
  const char* named = std::getenv("FI_SMOLLM2");
  const std::filesystem::path root = FI_SOURCE_DIR;
  const std::string path = named != nullptr ? named : (root / ".cache/models/SmolLM2-135M-Instruct.Q4_1.gguf").string();
  check(std::filesystem::exists(path), ErrorCode::kNotFound, "[demo] {} is missing; run `make demo`, which fetches it.", path);
  return path;
}

}  // namespace fi
