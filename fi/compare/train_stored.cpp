#include "fi/compare/train_stored.h"

#include "fi/compare/row_stores.h"
#include "fi/core/error.h"
#include "fi/training/train_dictionary.h"

namespace fi {

Json train_on_stored_rows(const TrainRequest& request, ProgressSink& progress) {
  check(request.steps >= 1, ErrorCode::kUsage, "[train] --steps got {}, expected at least 1.", request.steps);
  check(request.seed >= 0, ErrorCode::kUsage, "[train] --seed got {}, expected 0 or more.", request.seed);
  check(!request.out.empty(), ErrorCode::kUsage, "[train] --out is empty; name a folder.");
  TrainingConfig config = usual_config(request.num_latents, request.k, request.steps);
  config.batch_size = request.batch_size;
  config.seed = static_cast<uint64_t>(request.seed);
  check_training_config(config);
  const std::vector<RowStore> stores = stores_of_layers("train", request.activations, request.layers);
  Json results = Json::array();
  for (const RowStore& store : stores) {
    const std::filesystem::path out = request.out;
    const std::filesystem::path folder = stores.size() == 1 ? out : out / fmt::format("layer_{:02}", store.layer);
    const DictionaryReport report =
        train_dictionary(ActivationStore::open(store.folder), folder, {.training = config, .resume = request.resume}, progress);
    Json result = fields_to_json(report);
    result["layer"] = store.layer;
    result["folder"] = folder.string();
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace fi
