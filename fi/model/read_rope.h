#pragma once

#include <string>
#include <string_view>

#include "fi/core/json.h"
#include "fi/model/model_config.h"

namespace fi {

/// Fills rope, local_rope and rotary_dim of `config`, which has its head_dim and max_positions: from `rope_theta` and
/// `rope_scaling` (older files) or `rope_parameters` (newer ones, per kind of layer where there are several). kUnsupported with
/// the list of scalings for one that we do not have.
void read_rope(const Json& document, ModelConfig& config, std::string_view where);

/// "llama3", "yarn", ...; kUnsupported otherwise.
RopeScaling rope_scaling_of(const std::string& name, std::string_view where);

}  // namespace fi
