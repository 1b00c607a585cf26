#pragma once

#include <string_view>
#include <vector>

#include "fi/core/json.h"
#include "fi/hub/model_files.h"
#include "fi/model/families/family.h"
#include "fi/model/model_config.h"
#include "fi/model/tensor_view.h"

namespace fi {

/// A model as its files describe it, before a weight is read.
struct ModelSource {
  std::string name;  // as the user gave it, for messages
  const Family* family = nullptr;
  ModelConfig config;
  std::vector<TensorView> tensors;  // canonical names and shapes
  double norm_offset = 0.0;         // what the files' norm weights lack
};

/// Safetensors with config.json, or one GGUF file.
ModelSource open_model(const ModelFiles& files);

/// The same from a parsed config.json and the tensors of its checkpoint.
ModelSource source_from_checkpoint(const Json& document, std::vector<StoredTensor> tensors, std::string_view where);

}  // namespace fi
