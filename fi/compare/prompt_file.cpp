#include "fi/compare/prompt_file.h"

#include "fi/core/hash.h"
#include "fi/io/atomic_file.h"
#include "fi/prompts/prompt_set.h"

namespace fi {

std::filesystem::path keep_prompts(const Json& categories, const std::filesystem::path& folder) {
  constexpr size_t kNameDigits = 12;
  prompts_from_json(categories, "prompt_categories");
  const std::string text = to_pretty_json(categories);
  const std::filesystem::path path = folder / ("prompts-" + sha256_of_bytes(text).substr(0, kNameDigits) + ".json");
  write_file_atomically(path, text);
  return path;
}

}  // namespace fi
