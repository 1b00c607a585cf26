#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fi/core/json.h"
#include "fi/io/gguf.h"
#include "fi/model/model_config.h"

namespace fi {

/// How one family of models describes itself in its files. The decoder itself is the same for all: optional parts follow the
/// tensors.
struct Family {
  std::string name;                      // "llama"
  std::vector<std::string> model_types;  // "model_type" of config.json
  std::string gguf_architecture;         // "general.architecture" of GGUF
  void (*adjust)(ModelConfig& config);   // what neither file says, after the common fields were read; may be null
  double norm_offset = 0.0;              // safetensors store norm weights less this
  bool scales_embedding = false;         // by sqrt(d_model)
  bool gguf_rotary_pairs = false;        // GGUF stores q and k rows in interleaved pairs
};

/// Every family that is supported; each is defined in a file of its own in this folder.
const std::vector<Family>& families();

/// kUnsupported with the list of families for an unknown model type or architecture.
const Family& family_of_model_type(const std::string& model_type, std::string_view where);
const Family& family_of_gguf(const std::string& architecture, std::string_view where);

/// The common fields of config.json (also of the text part of a multimodal config), then the family's own.
ModelConfig config_from_json(const Json& document, const Family& family, std::string_view where);
ModelConfig config_from_gguf(const GgufFile& file, const Family& family);

Family llama_family();
Family qwen2_family();
Family gemma3_family();

}  // namespace fi
