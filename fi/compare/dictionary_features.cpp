#include "fi/compare/dictionary_features.h"

#include "fi/capture/text_file.h"
#include "fi/compare/latents.h"
#include "fi/compare/models.h"
#include "fi/compare/name_hypotheses.h"
#include "fi/compare/row_stores.h"
#include "fi/compare/run_files.h"
#include "fi/core/error.h"
#include "fi/dictionary/import_dictionary.h"
#include "fi/dictionary/layers_side_by_side.h"
#include "fi/dictionary/quality.h"
#include "fi/io/atomic_file.h"

namespace fi {
namespace {

void check_request(const FeaturesRequest& request) {
  check(!request.dictionary.empty(), ErrorCode::kUsage, "[features] there is no dictionary; name its folder with --dictionary.");
  check(!request.models.base_model.empty(), ErrorCode::kUsage,
        "[features] there is no base model, with whose tokenizer the rows were read; name it.");
  check(!request.out.empty(), ErrorCode::kUsage, "[features] --out is empty; name a folder.");
  check(request.min_firings >= 1, ErrorCode::kUsage, "[features] --min-firings got {}, expected at least 1.",
        request.min_firings);
}

void check_agree(const char* what, const std::string& dictionary, const std::string& rows) {
  check(
      dictionary.empty() || dictionary == rows, ErrorCode::kIncompatible,
      "[features] the dictionary's {} is {}, that of the rows {}; take rows of the models, layer and tokenizer that it was made "
      "for.",
      what, dictionary, rows);
}

// A dictionary made elsewhere has no manifest: all rows are new to it.
int64_t first_unseen_row(const DictionaryOrigin& origin, const StoreInfo& rows) {
  check_agree("hook point", origin.hook_point, rows.hook_point);
  check_agree("tokenizer", origin.tokenizer, rows.tokenizer);
  const bool same_models = origin.base == rows.base && origin.target == rows.target;
  return same_models && origin.num_training_rows < rows.num_rows ? origin.num_training_rows : 0;
}

ImportedDictionary two_model_dictionary(const FeaturesRequest& request, const ActivationStore& store, ProgressSink& progress) {
  ImportedDictionary dictionary = import_dictionary(request.dictionary);
  check(dictionary.crosscoder.num_models() == store.num_models(), ErrorCode::kIncompatible,
        "[features] {} is a {} of {} model(s): classes compare what two models make of a latent, so a crosscoder of both is "
        "needed. "
        "An SAE can be converted (`import`) and is read by dictionary_learning; train a crosscoder on these rows with `train`.",
        request.dictionary, dictionary.origin.format, dictionary.crosscoder.num_models());
  check_rows_fit(dictionary.crosscoder, store);
  const std::vector<double> given = scales_from_text(request.scales);
  if (dictionary.lacks_scaling && given.empty()) {
    progress.warn(
        "the dictionary's file does not say by what its rows were scaled in training; the factors are estimated from the stored "
        "rows. "
        "Give those of the trainer with --scales if you know them.");
  }
  complete_scaling(dictionary, given, &store);
  return dictionary;
}

}  // namespace

Json features_of_dictionary(const FeaturesRequest& request, ProgressSink& progress) {
  check_request(request);
  const RowStore place = one_store("features", request.activations, request.layer);
  const ActivationStore store = ActivationStore::open(place.folder);
  const ImportedDictionary dictionary = two_model_dictionary(request, store, progress);
  const Crosscoder& crosscoder = dictionary.crosscoder;
  const int64_t first = first_unseen_row(dictionary.origin, store.info());
  const bool one_space = has_one_space(store.info());
  const LayersSideBySide sides(crosscoder, store, one_space);
  const RowRange rows(sides.rows(), first, store.num_rows() - first);

  const LoadedModel base = load_base(request.models, progress);
  check(base.tokenizer->fingerprint() == store.info().tokenizer, ErrorCode::kIncompatible,
        "[features] the rows in {} were read with another tokenizer than that of {}; name the base that was captured.",
        place.folder.string(), base.files.name);

  const NameSources names(builtin_prompts(), request.models, {});
  const std::vector<TracedText> texts = read_texts(place.folder);
  const std::vector<ReadAnswer> answers = names.read_answers(texts, *base.tokenizer);
  const SeedStability no_siblings;
  const FeatureTable table = find_features(sides.crosscoder(), rows, row_labels(store, first),
                                           {.min_firings = request.min_firings, .has_one_space = one_space}, progress);
  const LatentInputs inputs{sides,   store,   table,   first, place.last_layer(), no_siblings, base.decoder, *base.tokenizer,
                            nullptr, answers, {names}, texts};
  const Json document = {{"layer", place.last_layer()},
                         {"layers", group_text(place.layers)},
                         {"dictionary", dictionary_document(dictionary)},
                         {"quality", fields_to_json(quality_of(crosscoder, RowRange(store, first, store.num_rows() - first)))},
                         {"classes", counts_by_class(table)},
                         {"min_firings", request.min_firings},
                         {"features", latent_documents(inputs, latents_to_show(table))}};
  const std::filesystem::path out = request.out;
  make_folder(out);
  write_file_atomically(out / kClassesFile, fields_to_json(table).dump());
  write_file_atomically(out / kLatentsFile, to_pretty_json(document));
  return document;
}

}  // namespace fi
