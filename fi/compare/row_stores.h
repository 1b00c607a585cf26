#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "fi/activations/hook_points.h"

namespace fi {

/// Paired residual rows of a layer, or of several together, on disk (fi/activations/activation_store.h).
struct RowStore {
  LayerGroup layers;
  std::filesystem::path folder;

  int64_t last_layer() const { return layers.back(); }  // where a report shows what is found in them
};

/// "layer_20", "layer_12+20".
std::string layers_folder(const LayerGroup& layers);

/// Where the rows of these layers lie in an activations folder.
std::filesystem::path row_store_folder(const std::filesystem::path& activations, const LayerGroup& layers);

/// The stores in `where`, by layer: the output folder of a run, its activations folder, or a store itself. Empty if there is
/// none.
std::vector<RowStore> find_row_stores(const std::filesystem::path& where);

/// The stores in `where` of the layers that `layers` names ("12,20", "12+20"; empty: all). kNotFound, in the name of `operation`,
/// if there are none, or none of such layers.
std::vector<RowStore> stores_of_layers(std::string_view operation, const std::string& where, const std::string& layers);

/// The only store in `where`, or that of `layer`. kUsage if there are several.
RowStore one_store(std::string_view operation, const std::string& where, const std::string& layer);

/// "12,20" -> 12 and 20, "12+20" -> both together, "" -> nothing. kUsage for anything else than layer numbers.
std::vector<LayerGroup> layers_from_text(const std::string& text);

}  // namespace fi
