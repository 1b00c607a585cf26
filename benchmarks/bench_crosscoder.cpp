// bench_crosscoder ENGINE ROWS CONFIG: trains on the tensor `rows` [n, num_models, d_model] of a safetensors file and prints the
// seconds and explained variance of each step as JSON. ENGINE is `sparse` or `autograd`, CONFIG a JSON object of TrainingConfig.
#include <chrono>
#include <cstdio>
#include <string>

#include "fi/activations/row_statistics.h"
#include "fi/activations/shuffled_batches.h"
#include "fi/core/error.h"
#include "fi/core/json_fields.h"
#include "fi/io/safetensors.h"
#include "fi/training/autograd_step.h"
#include "fi/training/sparse_step.h"

namespace fi {
namespace {

at::Tensor read_rows_file(const char* path) {
  const SafetensorsFile file = SafetensorsFile::open(path);
  const StoredTensor* stored = file.find("rows");
  check(stored != nullptr && stored->shape.size() == 3, ErrorCode::kUsage, "[bench] {} has no 'rows' of three dimensions.", path);
  const at::Tensor rows = at::empty(stored->shape, at::kFloat);
  to_float(*stored, 0, stored->num_values(), rows.data_ptr<float>());
  return rows;
}

int run(const std::string& engine, const char* path, const char* settings) {
  TrainingConfig config;
  fields_from_json(parse_json(settings, "bench", "CONFIG"), config, {"CONFIG", ""});
  const MemoryRows rows(read_rows_file(path));
  const RowStatistics statistics = statistics_of(rows);
  const RowScaling scaling{.mean = statistics.mean(), .scale = statistics.scale()};
  TrainingState state = initial_state(config, scaling, RowView::kModels);
  const ShuffledBatches batches(rows, config.batch_size, config.seed);
  Json seconds = Json::array(), explained = Json::array();
  while (state.step < config.num_steps) {
    const at::Tensor x = normalise(scaling, batches.batch(state.step)).flatten(1).contiguous();
    const auto start = std::chrono::steady_clock::now();
    const StepResult result = engine == "sparse" ? sparse_step(config, x, state) : autograd_step(config, x, state);
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    explained.push_back(result.explained);
  }
  std::printf("%s\n", Json{{"engine", engine}, {"seconds", seconds}, {"explained", explained}}.dump().c_str());
  return 0;
}

}  // namespace
}  // namespace fi

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: bench_crosscoder sparse|autograd ROWS.safetensors CONFIG\n");
    return 2;
  }
  try {
    return fi::run(argv[1], argv[2], argv[3]);
  } catch (const fi::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return static_cast<int>(error.code());
  }
}
