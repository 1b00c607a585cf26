#include "fi/compare/convert_dictionary.h"

#include <optional>

#include "fi/activations/activation_store.h"
#include "fi/compare/row_stores.h"
#include "fi/core/error.h"
#include "fi/dictionary/import_dictionary.h"
#include "fi/io/atomic_file.h"

namespace fi {
namespace {

std::optional<ActivationStore> rows_for_scales(const ImportRequest& request) {
  if (request.activations.empty()) return std::nullopt;
  return ActivationStore::open(one_store("import", request.activations, request.layer).folder);
}

}  // namespace

Json convert_dictionary(const ImportRequest& request, ProgressSink& progress) {
  check(!request.out.empty(), ErrorCode::kUsage, "[import] --out is empty; name a folder.");
  ImportedDictionary dictionary = import_dictionary(request.source);
  const std::optional<ActivationStore> rows = rows_for_scales(request);
  const std::vector<double> given = scales_from_text(request.scales);
  const bool estimates = dictionary.lacks_scaling && given.empty();
  complete_scaling(dictionary, given, rows ? &*rows : nullptr);
  if (estimates)
    progress.warn("scales were estimated from the stored rows; give those of the trainer with --scales if you know them.");
  make_folder(request.out);
  save_crosscoder(dictionary.crosscoder, dictionary.origin, request.out);
  Json document = dictionary_document(dictionary);
  document["folder"] = request.out;
  return document;
}

}  // namespace fi
