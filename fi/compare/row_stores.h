#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace fi {

/// Paired residual rows of one layer on disk (fi/activations/activation_store.h).
struct RowStore {
  int64_t layer = 0;
  std::filesystem::path folder;
};

/// Where the rows of a layer lie in an activations folder.
std::filesystem::path row_store_folder(const std::filesystem::path& activations, int64_t layer);

/// The stores in `where`, by layer: the output folder of a run, its activations folder, or a store itself. Empty if there is
/// none.
std::vector<RowStore> find_row_stores(const std::filesystem::path& where);

/// The stores in `where` of the layers that `layers` names ("12,20"; empty: all). kNotFound, in the name of `operation`, if there
/// are none, or none of a layer.
std::vector<RowStore> stores_of_layers(std::string_view operation, const std::string& where, const std::string& layers);

/// The only store in `where`, or that of `layer`. kUsage if there are several.
RowStore one_store(std::string_view operation, const std::string& where, const std::string& layer);

/// "12,20" -> 12, 20; "" -> nothing. kUsage for anything else than layer numbers.
std::vector<int64_t> layers_from_text(const std::string& text);

}  // namespace fi
