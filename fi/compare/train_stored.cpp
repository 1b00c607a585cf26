#include "fi/compare/train_stored.h"

#include <algorithm>

#include "fi/compare/row_stores.h"
#include "fi/core/error.h"
#include "fi/training/train_dictionary.h"

namespace fi {
namespace {

std::vector<RowStore> chosen_stores(const TrainRequest& request) {
  std::vector<RowStore> all = find_row_stores(request.activations);
  check(!all.empty(), ErrorCode::kNotFound,
        "[train] {} holds no stored rows; run `capture BASE TARGET --layers N` first, or name its folder with --activations.",
        request.activations);
  const std::vector<int64_t> layers = layers_from_text(request.layers);
  if (layers.empty()) return all;
  std::vector<int64_t> stored;
  for (const RowStore& store : all) stored.push_back(store.layer);
  for (const int64_t layer : layers) {
    check(std::find(stored.begin(), stored.end(), layer) != stored.end(), ErrorCode::kNotFound,
          "[train] {} holds no rows of layer {}, only of {}; capture that layer first.", request.activations, layer,
          fmt::join(stored, ", "));
  }
  std::erase_if(all, [&](const RowStore& s) { return std::find(layers.begin(), layers.end(), s.layer) == layers.end(); });
  return all;
}

}  // namespace

Json train_on_stored_rows(const TrainRequest& request, ProgressSink& progress) {
  check(request.steps >= 1, ErrorCode::kUsage, "[train] --steps got {}, expected at least 1.", request.steps);
  check(request.seed >= 0, ErrorCode::kUsage, "[train] --seed got {}, expected 0 or more.", request.seed);
  check(!request.out.empty(), ErrorCode::kUsage, "[train] --out is empty; name a folder.");
  TrainingConfig config = usual_config(request.num_latents, request.k, request.steps);
  config.batch_size = request.batch_size;
  config.seed = static_cast<uint64_t>(request.seed);
  check_training_config(config);
  const std::vector<RowStore> stores = chosen_stores(request);
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
