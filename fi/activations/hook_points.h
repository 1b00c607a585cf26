#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fi {

/// Layers whose rows one dictionary reads together, ascending; mostly a single one.
using LayerGroup = std::vector<int64_t>;

/// "12" or "12+20".
std::string group_text(const LayerGroup& layers);

/// "12+20" -> 12, 20, each once. Nothing for anything else than layer numbers.
std::optional<LayerGroup> parse_layers(std::string_view text);

/// The residual stream after these blocks: "resid_post.20", "resid_post.12+20".
std::string hook_point_after(const LayerGroup& layers);

/// The layers of such a name; nothing for other hook points.
std::optional<LayerGroup> layers_of_hook_point(std::string_view hook_point);

}  // namespace fi
