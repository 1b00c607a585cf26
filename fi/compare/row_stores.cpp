#include "fi/compare/row_stores.h"

#include <algorithm>
#include <optional>
#include <sstream>

#include "fi/activations/activation_store.h"
#include "fi/compare/run_files.h"
#include "fi/core/error.h"

namespace fi {
namespace {

namespace fs = std::filesystem;

bool is_store(const fs::path& folder) { return fs::is_regular_file(folder / "store.json"); }

LayerGroup layers_of(const fs::path& store) {
  const std::string name = ActivationStore::open(store).info().hook_point;
  const std::optional<LayerGroup> layers = layers_of_hook_point(name);
  check(layers.has_value(), ErrorCode::kInvalid, "[activations] {}: hook point is '{}', expected such as resid_post.20.",
        store.string(), name);
  return *layers;
}

}  // namespace

std::string layers_folder(const LayerGroup& layers) {
  std::vector<std::string> numbers;
  for (const int64_t layer : layers) numbers.push_back(fmt::format("{:02}", layer));
  return fmt::format("layer_{}", fmt::join(numbers, "+"));
}

fs::path row_store_folder(const fs::path& activations, const LayerGroup& layers) {
  return activations / kRowsFolder / layers_folder(layers);
}

std::vector<RowStore> find_row_stores(const fs::path& where) {
  if (is_store(where)) return {{layers_of(where), where}};
  std::vector<RowStore> stores;
  for (const fs::path& folder : {where, where / kRowsFolder, RunFolders::in(where).activations / kRowsFolder}) {
    if (!stores.empty() || !fs::is_directory(folder)) continue;
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (is_store(entry.path())) stores.push_back({layers_of(entry.path()), entry.path()});
    }
  }
  std::sort(stores.begin(), stores.end(), [](const RowStore& a, const RowStore& b) { return a.layers < b.layers; });
  return stores;
}

std::vector<LayerGroup> layers_from_text(const std::string& text) {
  std::vector<LayerGroup> layers;
  std::istringstream words(text);
  for (std::string word; std::getline(words, word, ',');) {
    const std::optional<LayerGroup> group = parse_layers(word);
    check(group.has_value(), ErrorCode::kUsage,
          "[options] --layers got '{}', expected layer numbers such as 12 or 12,20, or 12+20 for one dictionary of both.", text);
    layers.push_back(*group);
  }
  std::sort(layers.begin(), layers.end());
  layers.erase(std::unique(layers.begin(), layers.end()), layers.end());
  return layers;
}

std::vector<RowStore> stores_of_layers(std::string_view operation, const std::string& where, const std::string& layers) {
  std::vector<RowStore> all = find_row_stores(where);
  check(!all.empty(), ErrorCode::kNotFound,
        "[{}] {} holds no stored rows; run `capture BASE TARGET --layers N` first, or name its folder with --activations.",
        operation, where);
  const std::vector<LayerGroup> wanted = layers_from_text(layers);
  if (wanted.empty()) return all;
  std::vector<std::string> stored;
  for (const RowStore& store : all) stored.push_back(group_text(store.layers));
  for (const LayerGroup& group : wanted) {
    const std::string layer = group_text(group);
    check(std::find(stored.begin(), stored.end(), layer) != stored.end(), ErrorCode::kNotFound,
          "[{}] {} holds no rows of layer {}, only of {}; capture that layer first.", operation, where, layer,
          fmt::join(stored, ", "));
  }
  std::erase_if(all, [&](const RowStore& s) { return std::find(wanted.begin(), wanted.end(), s.layers) == wanted.end(); });
  return all;
}

RowStore one_store(std::string_view operation, const std::string& where, const std::string& layer) {
  const std::vector<RowStore> stores = stores_of_layers(operation, where, layer);
  check(stores.size() == 1, ErrorCode::kUsage, "[{}] {} holds rows of {} layers; choose one with --layer.", operation, where,
        stores.size());
  return stores.front();
}

}  // namespace fi
