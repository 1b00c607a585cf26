#include "fi/compare/export_dictionary.h"

#include <filesystem>
#include <optional>
#include <set>
#include <sstream>

#include "fi/activations/activation_store.h"
#include "fi/capture/text_file.h"
#include "fi/compare/row_stores.h"
#include "fi/core/error.h"
#include "fi/dictionary/import_dictionary.h"
#include "fi/dictionary/quality.h"
#include "fi/dictionary/saelens_file.h"
#include "fi/features/delphi_cache.h"

namespace fi {
namespace {

namespace fs = std::filesystem;

std::set<std::string> formats_of(const std::string& text) {
  std::set<std::string> formats;
  std::istringstream words(text);
  for (std::string word; std::getline(words, word, ',');) {
    check(word == "saelens" || word == "delphi", ErrorCode::kUsage,
          "[export] --to got '{}', expected saelens, delphi or both: saelens,delphi.", text);
    formats.insert(word);
  }
  check(!formats.empty(), ErrorCode::kUsage, "[export] --to is empty; name saelens, delphi or both: saelens,delphi.");
  return formats;
}

/// One row that a dictionary reads: its name as a folder, and what it is of.
struct Slice {
  std::string name;
  SaeLensPlace place;
};

// A slice for each layer of a model; one alone goes by the model's name.
void add_slices(const std::string& name, const std::string& model, const std::string& hook_point, std::vector<Slice>& slices) {
  const LayerGroup layers = layers_of_hook_point(hook_point).value_or(LayerGroup{});
  if (layers.size() < 2) return slices.push_back({name, {model, hook_point}});
  for (const int64_t layer : layers)
    slices.push_back({fmt::format("{}_layer_{}", name, layer), {model, hook_point_after({layer})}});
}

std::vector<Slice> slices_of(const Crosscoder& c, const DictionaryOrigin& origin) {
  if (c.view == RowView::kDifference) return {{"difference", {origin.target, origin.hook_point}}};
  if (c.num_models() == 1) return {{"sae", {origin.target, origin.hook_point}}};
  std::vector<Slice> slices;
  add_slices("base", origin.base, origin.base_hook_point.empty() ? origin.hook_point : origin.base_hook_point, slices);
  add_slices("target", origin.target, origin.hook_point, slices);
  if (static_cast<int64_t>(slices.size()) == c.num_models()) return slices;
  slices.clear();  // of models and layers that it does not name
  for (int64_t m = 0; m < c.num_models(); ++m) slices.push_back({fmt::format("model_{}", m), {origin.target, origin.hook_point}});
  return slices;
}

Json export_slices(const ImportedDictionary& dictionary, const fs::path& out) {
  Json folders = Json::array();
  int64_t place = 0;
  for (const Slice& slice : slices_of(dictionary.crosscoder, dictionary.origin)) {
    const fs::path folder = out / "saelens" / slice.name;
    save_saelens_slice(dictionary.crosscoder, place++, slice.place, folder);
    folders.push_back(folder.string());
  }
  return folders;
}

Json export_cache(const Crosscoder& crosscoder, const RowStore& place, const ActivationStore& store, const fs::path& out,
                  ProgressSink& progress) {
  std::vector<std::vector<int32_t>> texts;
  for (const TracedText& text : read_texts(place.folder)) texts.push_back(text.ids);
  const fs::path folder = out / "delphi" / fmt::format("layers.{}", group_text(place.layers));
  const DelphiCache cache = write_delphi_cache(crosscoder, store, texts, folder, progress);
  return {{"folder", folder.string()},
          {"num_windows", cache.num_windows},
          {"window", cache.window},
          {"num_activations", cache.num_activations},
          {"num_files", cache.num_files}};
}

void check_same_place(const ImportedDictionary& dictionary, const ActivationStore& store) {
  check_rows_fit(dictionary.crosscoder, store);
  const std::string& own = dictionary.origin.hook_point;
  check(own.empty() || own == store.info().hook_point, ErrorCode::kIncompatible,
        "[export] the dictionary's hook point is {}, that of the rows {}; take rows of its layer.", own, store.info().hook_point);
}

}  // namespace

Json export_dictionary(const ExportRequest& request, ProgressSink& progress) {
  const std::set<std::string> formats = formats_of(request.formats);
  check(!request.out.empty(), ErrorCode::kUsage, "[export] --out is empty; name a folder.");
  check(!formats.contains("delphi") || !request.activations.empty(), ErrorCode::kUsage,
        "[export] delphi's cache holds activations on texts; name stored rows with --activations.");
  ImportedDictionary dictionary = import_dictionary(request.dictionary);
  std::optional<RowStore> place;
  std::optional<ActivationStore> store;
  if (!request.activations.empty()) {
    place = one_store("export", request.activations, request.layer);
    store = ActivationStore::open(place->folder);
    check_same_place(dictionary, *store);
  }
  complete_scaling(dictionary, scales_from_text(request.scales), store ? &*store : nullptr);
  Json result = Json::object();
  if (formats.contains("saelens")) result["saelens"] = export_slices(dictionary, request.out);
  if (formats.contains("delphi")) result["delphi"] = export_cache(dictionary.crosscoder, *place, *store, request.out, progress);
  return result;
}

}  // namespace fi
