#include "fi/model/generate.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "fi/core/error.h"
#include "fi/core/random.h"
#include "fi/model/decoder_layer.h"

namespace fi {
namespace {

/// One prompt that is being continued.
struct Running {
  size_t prompt = 0;   // index into the prompts
  int64_t length = 0;  // tokens in the cache
  int32_t last = 0;    // newest token, not yet in the cache
  Random random;
};

/// Nucleus sampling: draws from the smallest set of tokens whose probability reaches top_p.
int32_t sample(const at::Tensor& logits, const GenerateOptions& options, Random& random) {
  const auto [probabilities, order] = logits.div(options.temperature).softmax(-1).sort(-1, /*descending=*/true);
  const float* p = probabilities.const_data_ptr<float>();
  int64_t kept = 0;
  double total = 0.0;
  while (kept < probabilities.numel() && total < options.top_p) total += p[kept++];
  double draw = random.uniform() * total;
  int64_t chosen = 0;
  while (chosen + 1 < kept && draw >= p[chosen]) draw -= p[chosen++];
  return static_cast<int32_t>(order[chosen].item<int64_t>());
}

/// Continues one group of prompts in step. Prompts that ended leave the batch.
class GroupGenerator {
 public:
  GroupGenerator(const Decoder& model, std::span<const TokenIds> prompts, const GenerateOptions& options,
                 std::vector<Generation>& results)
      : model_(model), prompts_(prompts), options_(options), results_(results) {}

  void run(const std::vector<size_t>& group, StageProgress& progress) {
    begin(group);
    while (!running_.empty()) {
      check_interrupt();
      step();
      drop_finished(progress);
    }
  }

 private:
  void begin(const std::vector<size_t>& group) {
    int64_t longest = 0;
    std::vector<TokenIds> sequences;
    for (const size_t i : group) {
      check(!prompts_[i].empty(), ErrorCode::kUsage, "[generate] prompt {} has no tokens.", i);
      sequences.push_back(prompts_[i]);
      longest = std::max(longest, static_cast<int64_t>(prompts_[i].size()));
      running_.push_back({.prompt = i, .length = static_cast<int64_t>(prompts_[i].size()), .random = Random(options_.seed, i)});
    }
    allocate(static_cast<int64_t>(group.size()), longest + options_.max_new_tokens);
    const PackedBatch batch = pack(sequences);
    choose(prefill(batch));
  }

  void allocate(int64_t slots, int64_t capacity) {
    const ModelConfig& config = model_.config();
    const auto options = at::TensorOptions().dtype(at::kFloat).device(model_.device());
    for (int64_t i = 0; i < config.num_layers; ++i) {
      const std::vector<int64_t> shape = {slots, config.num_kv_heads, capacity, config.head_dim};
      caches_.push_back({at::zeros(shape, options), at::zeros(shape, options)});
    }
  }

  at::Tensor prefill(const PackedBatch& batch) {
    RowLayout layout{.starts = batch.starts, .slots = at::arange(batch.num_sequences(), at::kLong).to(model_.device())};
    std::vector<int64_t> positions;
    std::vector<int64_t> last_rows;
    for (size_t i = 0; i + 1 < batch.starts.size(); ++i) {
      for (int64_t row = batch.starts[i]; row < batch.starts[i + 1]; ++row) positions.push_back(row - batch.starts[i]);
      last_rows.push_back(batch.starts[i + 1] - 1);
    }
    layout.positions = at::tensor(at::ArrayRef<int64_t>(positions), at::kLong).to(model_.device());
    const at::Tensor resid = through_layers(model_.embed(batch.ids), layout);
    return model_.unembed(resid.index_select(0, at::tensor(at::ArrayRef<int64_t>(last_rows), at::kLong).to(model_.device())));
  }

  void step() {
    TokenIds ids;
    std::vector<int64_t> positions;
    int64_t longest = 0;
    for (Running& sequence : running_) {
      ids.push_back(sequence.last);
      positions.push_back(sequence.length++);
      longest = std::max(longest, sequence.length);
    }
    const RowLayout layout{.positions = at::tensor(at::ArrayRef<int64_t>(positions), at::kLong).to(model_.device()),
                           .slots = at::arange(static_cast<int64_t>(ids.size()), at::kLong).to(model_.device()),
                           .longest = longest};
    choose(model_.unembed(through_layers(model_.embed(ids), layout)));
  }

  at::Tensor through_layers(at::Tensor resid, const RowLayout& layout) {
    const auto& layers = model_.parts().layers;
    for (size_t i = 0; i < layers.size(); ++i) resid = (*layers[i])(resid, layout, &caches_[i]);
    return resid;
  }

  void choose(const at::Tensor& logits) {
    if (options_.temperature <= 0.0) {
      const at::Tensor best = logits.argmax(-1).cpu();
      for (size_t i = 0; i < running_.size(); ++i) running_[i].last = static_cast<int32_t>(best.const_data_ptr<int64_t>()[i]);
    } else {
      const at::Tensor rows = logits.cpu();
      for (size_t i = 0; i < running_.size(); ++i)
        running_[i].last = sample(rows[static_cast<int64_t>(i)], options_, running_[i].random);
    }
    for (Running& sequence : running_) record(sequence);
  }

  void record(Running& sequence) {
    Generation& result = results_[sequence.prompt];
    const TokenIds& stops = options_.stop_ids;
    result.stopped = std::find(stops.begin(), stops.end(), sequence.last) != stops.end();
    if (!result.stopped) result.ids.push_back(sequence.last);
  }

  void drop_finished(StageProgress& progress) {
    std::vector<int64_t> kept;
    for (size_t i = 0; i < running_.size(); ++i) {
      const Generation& result = results_[running_[i].prompt];
      const bool is_done = result.stopped || static_cast<int64_t>(result.ids.size()) >= options_.max_new_tokens;
      if (!is_done) kept.push_back(static_cast<int64_t>(i));
    }
    if (kept.size() == running_.size()) return;
    progress.advance(static_cast<int64_t>(running_.size() - kept.size()));
    std::vector<Running> remaining;
    for (const int64_t i : kept) remaining.push_back(running_[static_cast<size_t>(i)]);
    running_ = std::move(remaining);
    if (running_.empty()) return;
    const at::Tensor rows = at::tensor(at::ArrayRef<int64_t>(kept), at::kLong).to(model_.device());
    for (LayerCache& cache : caches_) cache = {cache.keys.index_select(0, rows), cache.values.index_select(0, rows)};
  }

  const Decoder& model_;
  std::span<const TokenIds> prompts_;
  const GenerateOptions& options_;
  std::vector<Generation>& results_;
  std::vector<Running> running_;
  std::vector<LayerCache> caches_;
};

}  // namespace

std::vector<Generation> generate(const Decoder& model, std::span<const TokenIds> prompts, const GenerateOptions& options,
                                 ProgressSink& sink) {
  std::vector<Generation> results(prompts.size());
  if (options.max_new_tokens <= 0) return results;
  std::vector<size_t> order(prompts.size());
  std::iota(order.begin(), order.end(), size_t{0});
  // Prompts of similar length together: the cache of a group is as long as its longest.
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return prompts[a].size() < prompts[b].size(); });
  StageProgress progress(sink, "answers", static_cast<int64_t>(prompts.size()), "answers");
  for (size_t begin = 0; begin < order.size(); begin += static_cast<size_t>(options.batch_size)) {
    const size_t end = std::min(order.size(), begin + static_cast<size_t>(options.batch_size));
    GroupGenerator(model, prompts, options, results)
        .run({order.begin() + static_cast<int64_t>(begin), order.begin() + static_cast<int64_t>(end)}, progress);
  }
  return results;
}

}  // namespace fi
