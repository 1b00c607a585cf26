#include "fi/compare/train_stored.h"

#include <optional>

#include "fi/capture/text_file.h"
#include "fi/compare/models.h"
#include "fi/compare/other_seeds.h"
#include "fi/compare/row_stores.h"
#include "fi/compare/splice_dictionary.h"
#include "fi/core/error.h"
#include "fi/dictionary/canonical_file.h"
#include "fi/io/atomic_file.h"
#include "fi/training/train_dictionary.h"

namespace fi {
namespace {

void check_tokenizer(const RowStore& place, const std::string& fingerprint, const LoadedModel& model) {
  check(model.tokenizer->fingerprint() == fingerprint, ErrorCode::kIncompatible,
        "[train] the rows in {} were read with another tokenizer than that of {}; name the models that were captured.",
        place.folder.string(), model.files.name);
}

/// The models that rows are read with again, if any were named. Refused before a training that might take hours.
std::optional<BothModels> models_of(const TrainRequest& request, const std::vector<RowStore>& stores, ProgressSink& progress) {
  if (request.models.base_model.empty()) return std::nullopt;
  for (const RowStore& store : stores) read_texts(store.folder);
  BothModels models = load_both(request.models, progress);
  for (const RowStore& place : stores) {
    const StoreInfo info = ActivationStore::open(place.folder).info();
    check_tokenizer(place, info.tokenizer, models.base);
    check_tokenizer(place, info.target_tokenizer.empty() ? info.tokenizer : info.target_tokenizer, models.target);
  }
  return models;
}

Json splice_into(const BothModels& models, const RowStore& place, const ActivationStore& store,
                 const std::filesystem::path& folder, const DictionaryReport& report, uint64_t seed, ProgressSink& progress) {
  const Crosscoder crosscoder = load_crosscoder(folder);
  const auto splice = splice_dictionary({place.folder, store, crosscoder, report, place.layers, seed}, models.base.decoder,
                                        models.target.decoder, progress);
  Json document = value_to_json(splice);
  write_file_atomically(folder / kSpliceFile, to_pretty_json(document));
  return document;
}

// The penalty goes to the one kind that has it.
void choose_sparsity(const TrainRequest& request, TrainingConfig& config) {
  if (request.sparsity == "batch_topk") {
    check(request.penalty == 0.0, ErrorCode::kUsage,
          "[train] --penalty got {}, but --sparsity batch_topk has none; leave it out.", request.penalty);
    return;
  }
  const bool is_l1 = request.sparsity == "l1";
  check(is_l1 || request.sparsity == "jump_relu", ErrorCode::kUsage,
        "[train] --sparsity got '{}', expected batch_topk, l1 or jump_relu; choose one of these.", request.sparsity);
  check(request.penalty > 0.0, ErrorCode::kUsage,
        "[train] --penalty got {}, expected a weight above 0 for --sparsity {}; the heavier, the fewer latents are active.",
        request.penalty, request.sparsity);
  (is_l1 ? config.l1_weight : config.l0_weight) = request.penalty;
  config.weight_decay = 0.0;
}

}  // namespace

Json train_on_stored_rows(const TrainRequest& request, ProgressSink& progress) {
  check(request.steps >= 1, ErrorCode::kUsage, "[train] --steps got {}, expected at least 1.", request.steps);
  check(request.seed >= 0, ErrorCode::kUsage, "[train] --seed got {}, expected 0 or more.", request.seed);
  check_num_seeds("train", request.seeds);
  check(!request.out.empty(), ErrorCode::kUsage, "[train] --out is empty; name a folder.");
  TrainingConfig config = usual_config(request.num_latents, request.k, request.steps);
  config.batch_size = request.batch_size;
  if (request.learning_rate != 0.0) config.lr = request.learning_rate;
  config.seed = static_cast<uint64_t>(request.seed);
  config.shared_share = request.shared_latents;
  choose_sparsity(request, config);
  if (request.weight_decay >= 0.0) config.weight_decay = request.weight_decay;
  check_training_config(config);
  const std::vector<RowStore> stores = stores_of_layers("train", request.activations, request.layers);
  const std::optional<BothModels> models = models_of(request, stores, progress);
  Json results = Json::array();
  for (const RowStore& place : stores) {
    const std::filesystem::path out = request.out;
    const std::filesystem::path folder = stores.size() == 1 ? out : out / layers_folder(place.layers);
    const ActivationStore store = ActivationStore::open(place.folder);
    const DictionaryOptions options{.training = config, .resume = request.resume};
    const DictionaryReport report = train_dictionary(store, folder, options, progress);
    Json result = fields_to_json(report);
    const SeedStability stability = train_other_seeds(store, folder, options, request.seeds, progress);
    if (request.seeds > 1) result["stability"] = stability_words(stability, {});
    if (models) result["spliced"] = splice_into(*models, place, store, folder, report, config.seed, progress);
    result["layer"] = place.last_layer();
    result["layers"] = group_text(place.layers);
    result["folder"] = folder.string();
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace fi
