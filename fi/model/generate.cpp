#include "fi/model/generate.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "fi/core/error.h"
#include "fi/core/random.h"
#include "fi/model/decoder_layer.h"
#include "fi/model/kv_cache.h"

namespace fi {
namespace {

constexpr int64_t kShortestSharedPrefix = 8;  // tokens
constexpr int64_t kRowsReadAtOnce = 512;      // intermediate results of so many rows stay in the processor's cache
constexpr int64_t kAdmitShare = 8;            // new prompts are read when 1/8 of the slots is free: few rows make slow products

/// One prompt that is being continued.
struct Running {
  size_t prompt = 0;   // index into the prompts
  int64_t slot = 0;    // of the cache
  int64_t length = 0;  // tokens in the cache
  int32_t last = 0;    // newest token, not yet in the cache
  Random random;
};

/// Draws one of the first `count` of weights that add up to `total`.
int64_t draw_index(const float* weights, int64_t count, double total, Random& random) {
  double draw = random.uniform() * total;
  int64_t chosen = 0;
  while (chosen + 1 < count && draw >= weights[chosen]) draw -= weights[chosen++];
  return chosen;
}

/// Nucleus sampling: draws from the smallest set of tokens whose probability reaches top_p. Only a set smaller than all needs
/// them in order, which takes as long as making the logits of a small model.
int32_t sample(const at::Tensor& logits, const GenerateOptions& options, Random& random) {
  const at::Tensor all = logits.div(options.temperature).softmax(-1);
  if (options.top_p >= 1.0) return static_cast<int32_t>(draw_index(all.const_data_ptr<float>(), all.numel(), 1.0, random));
  const auto [probabilities, order] = all.sort(-1, /*descending=*/true);
  const float* p = probabilities.const_data_ptr<float>();
  int64_t kept = 0;
  double total = 0.0;
  while (kept < probabilities.numel() && total < options.top_p) total += p[kept++];
  return static_cast<int32_t>(order[draw_index(p, kept, total, random)].item<int64_t>());
}

/// Length of the longest beginning that all prompts share (their chat template, mostly) and that leaves each a token of its own.
int64_t shared_prefix(std::span<const TokenIds> prompts) {
  int64_t length = static_cast<int64_t>(prompts.front().size()) - 1;
  for (const TokenIds& prompt : prompts) {
    length = std::min(length, static_cast<int64_t>(prompt.size()) - 1);
    const auto [end, unused] = std::mismatch(prompt.begin(), prompt.begin() + length, prompts.front().begin());
    length = end - prompt.begin();
  }
  return prompts.size() > 1 && length >= kShortestSharedPrefix ? length : 0;
}

/// Continues prompts in step. Prompts that ended make room for those that wait, so that steps stay full.
class Generator {
 public:
  Generator(const Decoder& model, std::span<const TokenIds> prompts, const GenerateOptions& options, ProgressSink& sink)
      : model_(model),
        prompts_(prompts),
        options_(options),
        num_slots_(std::min(options.batch_size, static_cast<int64_t>(prompts.size()))),
        results_(prompts.size()),
        cache_(model.config(), num_slots_ + 1, model.device()),
        progress_(sink, "answers", static_cast<int64_t>(prompts.size()), "answers") {
    for (int64_t slot = num_slots_; slot-- > 0;) free_slots_.push_back(slot);
  }

  std::vector<Generation> run() {
    queue_prompts();
    read_prefix();
    while (!running_.empty() || !waiting_.empty()) {
      check_interrupt();
      if (is_time_to_admit()) {
        admit();
      } else {
        step();
      }
      drop_finished();
    }
    return std::move(results_);
  }

 private:
  // Prompts of similar length run together: the cache grows with the longest.
  void queue_prompts() {
    waiting_.resize(prompts_.size());
    std::iota(waiting_.begin(), waiting_.end(), size_t{0});
    for (const size_t i : waiting_) {
      const auto length = static_cast<int64_t>(prompts_[i].size()), limit = model_.config().max_positions;
      check(length > 0 && length <= limit, ErrorCode::kUsage, "[generate] prompt {} has {} tokens, expected 1 to {}.", i, length,
            limit);
    }
    std::stable_sort(waiting_.begin(), waiting_.end(),
                     [&](size_t a, size_t b) { return prompts_[a].size() > prompts_[b].size(); });
  }

  // What all prompts begin with is read once, into a slot of its own.
  void read_prefix() {
    prefix_length_ = shared_prefix(prompts_);
    if (prefix_length_ == 0) return;
    cache_.reserve(prefix_length_);
    const TokenIds prefix(prompts_.front().begin(), prompts_.front().begin() + prefix_length_);
    through_layers(prefix, make_layout({0, prefix_length_}, {}, {num_slots_}, model_.device()));
  }

  bool is_time_to_admit() const {
    return !waiting_.empty() && (running_.empty() || static_cast<int64_t>(free_slots_.size()) * kAdmitShare >= num_slots_);
  }

  // Reads waiting prompts into free slots, a panel of rows at a time, and chooses their first tokens.
  void admit() {
    TokenIds ids;
    std::vector<int64_t> starts = {0}, slots;
    std::vector<Running> admitted;
    while (!waiting_.empty() && !free_slots_.empty() && static_cast<int64_t>(ids.size()) < kRowsReadAtOnce) {
      const TokenIds& prompt = prompts_[waiting_.back()];
      const auto length = static_cast<int64_t>(prompt.size());
      cache_.reserve(length + options_.max_new_tokens);
      if (prefix_length_ > 0) cache_.copy_prefix(num_slots_, free_slots_.back(), prefix_length_);
      ids.insert(ids.end(), prompt.begin() + prefix_length_, prompt.end());
      starts.push_back(static_cast<int64_t>(ids.size()));
      slots.push_back(free_slots_.back());
      admitted.push_back({.prompt = waiting_.back(),
                          .slot = free_slots_.back(),
                          .length = length,
                          .random = Random(options_.seed, waiting_.back())});
      waiting_.pop_back();
      free_slots_.pop_back();
    }
    const std::vector<int64_t> past(prefix_length_ > 0 ? slots.size() : 0, prefix_length_);
    const at::Tensor resid = through_layers(ids, make_layout(starts, past, slots, model_.device()));
    const at::Tensor last_rows = at::tensor(at::ArrayRef<int64_t>(starts).slice(1), at::kLong).sub_(1).to(model_.device());
    choose(model_.unembed(resid.index_select(0, last_rows)), admitted);
    std::move(admitted.begin(), admitted.end(), std::back_inserter(running_));
  }

  void step() {
    TokenIds ids;
    std::vector<int64_t> starts = {0}, past, slots;
    for (Running& sequence : running_) {
      ids.push_back(sequence.last);
      starts.push_back(static_cast<int64_t>(ids.size()));
      past.push_back(sequence.length++);
      slots.push_back(sequence.slot);
    }
    choose(model_.unembed(through_layers(ids, make_layout(starts, past, slots, model_.device()))), running_);
  }

  at::Tensor through_layers(const TokenIds& ids, const RowLayout& layout) {
    const auto& layers = model_.parts().layers;
    at::Tensor resid = model_.embed(ids, layout.positions);
    for (size_t i = 0; i < layers.size(); ++i) resid = (*layers[i])(resid, layout, &cache_.layer(i));
    return resid;
  }

  void choose(const at::Tensor& logits, std::vector<Running>& sequences) {
    const bool is_greedy = options_.temperature <= 0.0;
    const at::Tensor rows = is_greedy ? logits.argmax(-1).cpu() : logits.cpu();
    for (size_t i = 0; i < sequences.size(); ++i) {
      sequences[i].last = is_greedy ? static_cast<int32_t>(rows.const_data_ptr<int64_t>()[i])
                                    : sample(rows[static_cast<int64_t>(i)], options_, sequences[i].random);
      record(sequences[i]);
    }
  }

  void record(const Running& sequence) {
    Generation& result = results_[sequence.prompt];
    const TokenIds& stops = options_.stop_ids;
    result.stopped = std::find(stops.begin(), stops.end(), sequence.last) != stops.end();
    if (!result.stopped) result.ids.push_back(sequence.last);
  }

  void drop_finished() {
    const size_t before = running_.size();
    std::erase_if(running_, [&](const Running& sequence) {
      const Generation& result = results_[sequence.prompt];
      const bool is_done = result.stopped || static_cast<int64_t>(result.ids.size()) >= options_.max_new_tokens ||
                           sequence.length >= model_.config().max_positions;
      if (is_done) free_slots_.push_back(sequence.slot);
      return is_done;
    });
    if (running_.size() < before) progress_.advance(static_cast<int64_t>(before - running_.size()));
  }

  const Decoder& model_;
  std::span<const TokenIds> prompts_;
  const GenerateOptions& options_;
  int64_t num_slots_;
  std::vector<Generation> results_;
  KvCache cache_;  // slot num_slots_ holds the shared prefix
  StageProgress progress_;
  int64_t prefix_length_ = 0;
  std::vector<size_t> waiting_;  // the next one last
  std::vector<int64_t> free_slots_;
  std::vector<Running> running_;
};

}  // namespace

std::vector<Generation> generate(const Decoder& model, std::span<const TokenIds> prompts, const GenerateOptions& options,
                                 ProgressSink& sink) {
  if (options.max_new_tokens <= 0 || prompts.empty()) return std::vector<Generation>(prompts.size());
  check(options.batch_size > 0, ErrorCode::kUsage, "[generate] batch size is {}, expected at least 1.", options.batch_size);
  return Generator(model, prompts, options, sink).run();
}

}  // namespace fi
