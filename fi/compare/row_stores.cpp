#include "fi/compare/row_stores.h"

#include <algorithm>
#include <charconv>
#include <sstream>

#include "fi/activations/activation_store.h"
#include "fi/compare/run_files.h"
#include "fi/core/error.h"

namespace fi {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMostLayers = 100'000;

bool is_store(const fs::path& folder) { return fs::is_regular_file(folder / "store.json"); }

int64_t layer_number(std::string_view word, std::string_view whole) {
  int64_t layer = -1;
  const auto parsed = std::from_chars(word.data(), word.data() + word.size(), layer);
  check(parsed.ec == std::errc() && parsed.ptr == word.data() + word.size() && layer >= 0 && layer < kMostLayers,
        ErrorCode::kUsage, "[options] --layers got '{}', expected layer numbers such as 12 or 12,20.", whole);
  return layer;
}

// "resid_post.20" -> 20
int64_t layer_of(const fs::path& store) {
  const std::string name = ActivationStore::open(store).info().hook_point;
  return layer_number(std::string_view(name).substr(name.rfind('.') + 1), name);
}

}  // namespace

fs::path row_store_folder(const fs::path& activations, int64_t layer) {
  return activations / kRowsFolder / fmt::format("layer_{:02}", layer);
}

std::vector<RowStore> find_row_stores(const fs::path& where) {
  if (is_store(where)) return {{layer_of(where), where}};
  std::vector<RowStore> stores;
  for (const fs::path& folder : {where, where / kRowsFolder, RunFolders::in(where).activations / kRowsFolder}) {
    if (!stores.empty() || !fs::is_directory(folder)) continue;
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (is_store(entry.path())) stores.push_back({layer_of(entry.path()), entry.path()});
    }
  }
  std::sort(stores.begin(), stores.end(), [](const RowStore& a, const RowStore& b) { return a.layer < b.layer; });
  return stores;
}

std::vector<int64_t> layers_from_text(const std::string& text) {
  std::vector<int64_t> layers;
  std::istringstream words(text);
  for (std::string word; std::getline(words, word, ',');) layers.push_back(layer_number(word, text));
  std::sort(layers.begin(), layers.end());
  layers.erase(std::unique(layers.begin(), layers.end()), layers.end());
  return layers;
}

std::vector<RowStore> stores_of_layers(std::string_view operation, const std::string& where, const std::string& layers) {
  std::vector<RowStore> all = find_row_stores(where);
  check(!all.empty(), ErrorCode::kNotFound,
        "[{}] {} holds no stored rows; run `capture BASE TARGET --layers N` first, or name its folder with --activations.",
        operation, where);
  const std::vector<int64_t> wanted = layers_from_text(layers);
  if (wanted.empty()) return all;
  std::vector<int64_t> stored;
  for (const RowStore& store : all) stored.push_back(store.layer);
  for (const int64_t layer : wanted) {
    check(std::find(stored.begin(), stored.end(), layer) != stored.end(), ErrorCode::kNotFound,
          "[{}] {} holds no rows of layer {}, only of {}; capture that layer first.", operation, where, layer,
          fmt::join(stored, ", "));
  }
  std::erase_if(all, [&](const RowStore& s) { return std::find(wanted.begin(), wanted.end(), s.layer) == wanted.end(); });
  return all;
}

RowStore one_store(std::string_view operation, const std::string& where, const std::string& layer) {
  const std::vector<RowStore> stores = stores_of_layers(operation, where, layer);
  check(stores.size() == 1, ErrorCode::kUsage, "[{}] {} holds rows of {} layers; choose one with --layer.", operation, where,
        stores.size());
  return stores.front();
}

}  // namespace fi
