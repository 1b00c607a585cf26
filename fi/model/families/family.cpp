#include "fi/model/families/family.h"

#include <algorithm>

#include "fi/core/error.h"

namespace fi {
namespace {

std::string supported_names() {
  std::vector<std::string> names;
  for (const Family& family : families()) names.push_back(family.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

const std::vector<Family>& families() {
  static const std::vector<Family> all = {llama_family(), qwen2_family(),  qwen3_family(),    mistral_family(),
                                          gemma_family(), gemma2_family(), gemma3_family(),   phi3_family(),
                                          olmo2_family(), gpt2_family(),   gpt_neox_family(), smollm3_family()};
  return all;
}

const Family& family_of_model_type(const std::string& model_type, std::string_view where) {
  for (const Family& family : families()) {
    if (std::find(family.model_types.begin(), family.model_types.end(), model_type) != family.model_types.end()) return family;
  }
  fail(ErrorCode::kUnsupported, "[model] {}: architecture '{}' is not supported; supported are {}.", where, model_type,
       supported_names());
}

const Family& family_of_gguf(const std::string& architecture, std::string_view where) {
  for (const Family& family : families()) {
    if (!architecture.empty() && family.gguf_architecture == architecture) return family;
  }
  fail(ErrorCode::kUnsupported, "[model] {}: architecture '{}' is not supported; supported are {}.", where, architecture,
       supported_names());
}

}  // namespace fi
