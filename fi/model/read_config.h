#pragma once

#include <string_view>

#include "fi/core/json.h"
#include "fi/io/gguf.h"
#include "fi/model/families/family.h"
#include "fi/model/model_config.h"

namespace fi {

/// config.json (also the text part of a multimodal one): the fields that families share under whichever of their names, then what
/// the family adds. kInvalid for damaged files, kUnsupported for rope scalings and activations that we do not have.
ModelConfig config_from_json(const Json& document, const Family& family, std::string_view where);

/// The same from the metadata of a GGUF file.
ModelConfig config_from_gguf(const GgufFile& file, const Family& family);

/// The family's adjustments, defaults that depend on other fields, and checks of every size.
ModelConfig finish_config(ModelConfig config, const Family& family, std::string_view where);

}  // namespace fi
