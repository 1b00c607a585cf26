#include "fi/compare/train_stored.h"

#include "fi/compare/other_seeds.h"
#include "fi/compare/row_stores.h"
#include "fi/core/error.h"

namespace fi {

namespace {

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
}

}  // namespace

Json train_on_stored_rows(const TrainRequest& request, ProgressSink& progress) {
  check(request.steps >= 1, ErrorCode::kUsage, "[train] --steps got {}, expected at least 1.", request.steps);
  check(request.seed >= 0, ErrorCode::kUsage, "[train] --seed got {}, expected 0 or more.", request.seed);
  check_num_seeds("train", request.seeds);
  check(!request.out.empty(), ErrorCode::kUsage, "[train] --out is empty; name a folder.");
  TrainingConfig config = usual_config(request.num_latents, request.k, request.steps);
  config.batch_size = request.batch_size;
  config.seed = static_cast<uint64_t>(request.seed);
  config.shared_share = request.shared_latents;
  choose_sparsity(request, config);
  check_training_config(config);
  const std::vector<RowStore> stores = stores_of_layers("train", request.activations, request.layers);
  Json results = Json::array();
  for (const RowStore& store : stores) {
    const std::filesystem::path out = request.out;
    const std::filesystem::path folder = stores.size() == 1 ? out : out / fmt::format("layer_{:02}", store.layer);
    const ActivationStore rows = ActivationStore::open(store.folder);
    const DictionaryOptions options{.training = config, .resume = request.resume};
    Json result = fields_to_json(train_dictionary(rows, folder, options, progress));
    const SeedStability stability = train_other_seeds(rows, folder, options, request.seeds, progress);
    if (request.seeds > 1) result["stability"] = stability_words(stability, {});
    result["layer"] = store.layer;
    result["folder"] = folder.string();
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace fi
