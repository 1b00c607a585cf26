#include "fi/compare/plan.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <numeric>

#include "fi/compare/budget.h"
#include "fi/compare/corpus_texts.h"
#include "fi/compare/minutes_budget.h"
#include "fi/compare/models.h"
#include "fi/core/error.h"
#include "fi/io/gguf.h"
#include "fi/io/safetensors.h"
#include "fi/model/device.h"
#include "fi/model/load_model.h"
#include "fi/prompts/prompt_set.h"

namespace fi {
namespace {

constexpr int64_t kBatchRows = 32;     // prompts that are continued in step
constexpr int64_t kPromptTokens = 40;  // assumed length of a prompt with its template
constexpr int64_t kReadTokens = 24;    // of these without what all prompts begin with, which is computed once for a batch
constexpr int64_t kLayerPasses = 5;    // three models for the layer map, two for the directions
constexpr int64_t kAnswerPasses = 4;   // two models read two answers for token KL
// Assumed full passes for each claim. Transplants: 21 ranges from their first block on, and three models' answers.
constexpr int64_t kTransplantPasses = 12;
// Causal tests: three sets by two models, 25 exchanges from a layer on.
constexpr int64_t kCausalPasses = 12;
constexpr double kTrainingPasses = 3;  // of a crosscoder's encoder: forward, and backward twice as much
constexpr int kMinRepeats = 10;        // the first calls of a product prepare it
constexpr std::chrono::milliseconds kMeasuringTime{200};
constexpr double kBytesPerAnswerToken = 5;  // text, and its part of the report
constexpr double kReportBytes = 4e6;        // figures and the page

/// What the headers of the weight files say.
struct WeightSizes {
  int64_t num_values = 0;
  int64_t num_embedding = 0;  // values of the embedding that no product reads
  int64_t d_model = 0;
  int64_t cache_values = 0;  // of keys and values, per token over all layers
  int64_t num_layers = 0;
};

void count(const std::vector<StoredTensor>& tensors, WeightSizes& sizes) {
  bool has_head = false;
  for (const StoredTensor& tensor : tensors) {
    sizes.num_values += tensor.num_values();
    const std::string_view name = tensor.name;
    has_head = has_head || name.ends_with("lm_head.weight") || name == "output.weight";
    if (name.ends_with("embed_tokens.weight") || name == "token_embd.weight") {
      sizes.num_embedding = tensor.num_values();
      sizes.d_model = tensor.shape.empty() ? 0 : tensor.shape.back();
    }
    const bool is_key = name.ends_with(".k_proj.weight") || name.ends_with(".attn_k.weight");
    if (!is_key || tensor.shape.empty()) continue;
    sizes.cache_values += 2 * tensor.shape.front();
    ++sizes.num_layers;
  }
  if (!has_head) sizes.num_embedding = 0;  // tied: the last product reads it
}

WeightSizes sizes_of(const ModelFiles& files) {
  WeightSizes sizes;
  std::vector<StoredTensor> tensors;
  for (const auto& path : files.weights) {
    const auto more =
        files.format == WeightFormat::kGguf ? GgufFile::open(path).tensors() : SafetensorsFile::open(path).tensors();
    tensors.insert(tensors.end(), more.begin(), more.end());
  }
  count(tensors, sizes);
  return sizes;
}

double bytes_of_files(const ModelFiles& files) {
  double bytes = 0.0;
  for (const auto& path : files.weights) bytes += static_cast<double>(std::filesystem::file_size(path));
  return bytes;
}

// What memory must hold: pages of a mapped file can be dropped and read again.
double bytes_of_weights(const WeightSizes& sizes, const std::string& quantization) {
  if (quantization == "stored") return 0.0;
  const double bytes_each = quantization == "int8" ? 1.0 : quantization == "fp16" || quantization == "bf16" ? 2.0 : 4.0;
  return bytes_each * static_cast<double>(sizes.num_values);
}

/// Multiply-adds a second, times two, of the product that dominates: a batch of rows by a square of the model's width.
double measured_rate(int64_t d_model, const at::Device& device) {
  const int64_t width = std::clamp<int64_t>(d_model, 64, 4096);
  const auto options = at::TensorOptions().dtype(at::kFloat).device(device);
  const at::Tensor x = at::ones({kBatchRows, width}, options);
  const at::Tensor weight = at::ones({4 * width, width}, options);
  double best = 1e9;
  const auto started = std::chrono::steady_clock::now();
  for (int i = 0; i < kMinRepeats || std::chrono::steady_clock::now() - started < kMeasuringTime; ++i) {
    const auto before = std::chrono::steady_clock::now();
    at::matmul(x, weight.t()).sum().item<float>();  // the sum waits for the device
    const auto now = std::chrono::steady_clock::now();
    best = std::min(best, std::chrono::duration<double>(now - before).count());
  }
  return 2.0 * static_cast<double>(kBatchRows * 4 * width * width) / best;
}

/// Tokens that the models read or write, each counted once for each model that does.
struct TokenPlan {
  int64_t num_discovery = 0;
  int64_t max_confirmation = 0;
  int64_t answers = 0;
  int64_t layers = 0;
  int64_t patching = 0;
  int64_t causes = 0;      // transplants and causal tests
  int64_t sampled = 0;     // answers again, sampled
  int64_t crosscoder = 0;  // rows that one is trained on

  int64_t total() const { return answers + layers + patching + causes + sampled + crosscoder; }
};

// Which categories get a second look is not known yet: those with the most prompts left for one are assumed.
int64_t largest_second_look(const PromptSet& prompts, const Budget& budget) {
  std::vector<int64_t> more;
  for (const PromptCategory& category : prompts.categories) {
    const auto num_discovery = [&](int64_t cap) { return std::ssize(split_prompts(category, /*seed=*/0, cap, 0).discovery); };
    more.push_back(num_discovery(budget.discovery + budget.second_look) - num_discovery(budget.discovery));
  }
  std::ranges::sort(more, std::greater<>());
  more.resize(std::min(more.size(), static_cast<size_t>(budget.second_look_categories)));
  return std::accumulate(more.begin(), more.end(), int64_t{0});
}

/// The pair as far as it costs something, and how fast the device is. Measured once, so that what was fitted to it is told by it.
struct Costs {
  WeightSizes base, target;
  double rate = 0.0;  // floating point operations a second

  // Values that a token is multiplied by, in the mean: both models read or write about as many tokens.
  double products() const {
    return 0.5 * static_cast<double>(base.num_values - base.num_embedding + target.num_values - target.num_embedding);
  }
  // Layers of other models are not patched, and rows of them are stored only where asked for.
  bool have_equal_layers() const { return base.num_layers == target.num_layers && base.d_model == target.d_model; }
};

TokenPlan plan_tokens(const CompareOptions& options, const PromptSet& prompts, const Budget& budget, const Costs& costs) {
  TokenPlan plan;
  int64_t num_confirmation = 0;
  for (const PromptCategory& category : prompts.categories) {
    const PromptSplit split = split_prompts(category, static_cast<uint64_t>(options.seed), budget.discovery, budget.confirmation);
    plan.num_discovery += static_cast<int64_t>(split.discovery.size());
    num_confirmation += static_cast<int64_t>(split.confirmation.size());
  }
  plan.num_discovery += largest_second_look(prompts, budget);
  plan.max_confirmation = std::min(num_confirmation, budget.max_confirmation_prompts);
  const int64_t text = kReadTokens + budget.max_new_tokens;
  plan.answers = 2 * (plan.num_discovery + plan.max_confirmation) * text;
  plan.layers = kLayerPasses * std::min(plan.num_discovery, budget.max_traced_texts) * text;
  plan.layers += kAnswerPasses * std::min(plan.num_discovery + plan.max_confirmation, budget.shown_answers) * text;
  plan.crosscoder = 2 * budget.crosscoder_tokens;
  if (!costs.have_equal_layers()) return plan;
  plan.patching = costs.base.num_layers / 2 * std::min(plan.num_discovery, budget.max_patched_texts) * text;
  const int64_t passes = kTransplantPasses * std::min(plan.max_confirmation, budget.texts_per_transplant) +
                         kCausalPasses * std::min(plan.max_confirmation, budget.texts_per_causal_test);
  plan.causes = budget.max_localised_claims * passes * text;
  plan.sampled = 2 * budget.max_localised_claims * budget.sampled_prompts * budget.samples_of_prompt * text;
  return plan;
}

Costs costs_of(const PairFiles& files, const at::Device& device) {
  const WeightSizes base = sizes_of(files.base);
  return {base, sizes_of(files.target), measured_rate(base.d_model, device)};
}

double seconds_of(const Costs& costs, const TokenPlan& tokens, const Budget& budget, int64_t seeds) {
  double operations = 2.0 * costs.products() * static_cast<double>(tokens.total());
  if (tokens.crosscoder > 0) {
    const double values = 2.0 * static_cast<double>(costs.base.d_model * budget.crosscoder_latents);  // of the encoders
    operations += kTrainingPasses * 2.0 * values * static_cast<double>(seeds * budget.crosscoder_steps * budget.crosscoder_batch);
  }
  return operations / costs.rate;
}

CompareOptions fitted(CompareOptions options, const PromptSet& prompts, const Costs& costs) {
  auto minutes = minutes_budget_from(options.budget);
  if (!minutes || minutes->level) return options;
  const auto seconds_at = [&](double level) {
    options.budget = to_text({.minutes = minutes->minutes, .level = level});
    const Budget budget = budget_of(options);
    return seconds_of(costs, plan_tokens(options, prompts, budget, costs), budget, options.seeds);
  };
  minutes->level = largest_level_within(60.0 * minutes->minutes, seconds_at);
  options.budget = to_text(*minutes);
  return options;
}

PromptSet asked_prompts(const CompareOptions& options) {
  return options.prompts.empty() ? builtin_prompts() : load_prompts(options.prompts);
}

Json estimate(const CompareOptions& options, const PairFiles& files, const Costs& costs, const TokenPlan& tokens,
              const at::Device& device) {
  const WeightSizes &base = costs.base, &target = costs.target;
  const bool shares = files.base.weights == files.target.weights;
  const std::string wanted = wanted_quantization(options);
  const std::string base_held = resolved_quantization(wanted, base.num_values, device);
  const std::string target_held = resolved_quantization(wanted, target.num_values, device);
  const double rounded_copy = base_held == "stored" ? 0.0 : 2.0 * static_cast<double>(base.num_values);
  const double weights =
      bytes_of_weights(base, base_held) + (shares ? 0.0 : bytes_of_weights(target, target_held)) + rounded_copy;
  const double streamed = std::max(base_held == "stored" ? bytes_of_files(files.base) : 0.0,
                                   target_held == "stored" ? bytes_of_files(files.target) : 0.0);
  const double cache = 4.0 * static_cast<double>(kBatchRows * (kPromptTokens + options.max_new_tokens + 64) *
                                                 std::max(base.cache_values, target.cache_values));
  return {
      {"seconds", seconds_of(costs, tokens, budget_of(options), options.seeds)},
      {"memory_bytes", weights + cache},
      {"streamed_bytes", streamed},
      {"disk_bytes", kReportBytes + kBytesPerAnswerToken * static_cast<double>(tokens.answers)},
      {"measured_flops_per_second", costs.rate},
      {"held_as", {{"base", base_held}, {"target", shares ? base_held : target_held}}},
      {"how",
       fmt::format("tokens x 2 x weights over {:.1f} GFLOP/s, measured just now on {} rows; assumes prompts of {} tokens "
                   "beside what all begin with, answers of full length, and that every candidate is confirmed; memory is weights "
                   "that are not left in their file, a bf16 copy of them and the cache",
                   costs.rate / 1e9, kBatchRows, kReadTokens)}};
}

}  // namespace

Json plan_compare(const CompareOptions& given) {
  validate(given);
  check(given.outputs.empty(), ErrorCode::kUsage,
        "[plan] --outputs runs no model, there is nothing to plan; leave out --dry-run.");
  const PromptSet prompts = asked_prompts(given);
  read_corpus(given, budget_of(given));  // refused here as in the run
  const PairFiles files = resolve_pair(given);
  const at::Device device = choose_device(given.device);
  const Costs costs = costs_of(files, device);
  const CompareOptions options = fitted(given, prompts, costs);
  const TokenPlan tokens = plan_tokens(options, prompts, budget_of(options), costs);
  uint64_t weight_bytes = 0;
  for (const auto* model : {&files.base, &files.target}) {
    for (const auto& path : model->weights) weight_bytes += std::filesystem::file_size(path);
  }
  return {{"base", files.base.name},
          {"target", files.target.adapter ? files.target.name + " + " + files.target.adapter->string() : files.target.name},
          {"device", device.str()},
          {"budget", options.budget},
          {"num_categories", prompts.categories.size()},
          {"num_discovery_prompts", tokens.num_discovery},
          {"max_confirmation_prompts", tokens.max_confirmation},
          {"max_tokens", tokens.total()},
          {"weight_file_bytes", weight_bytes},
          {"output_dir", options.output_dir},
          {"estimate", estimate(options, files, costs, tokens, device)}};
}

CompareOptions with_fitted_budget(const CompareOptions& options) {
  const auto minutes = minutes_budget_from(options.budget);
  if (!options.outputs.empty() || !minutes || minutes->level) return options;
  return fitted(options, asked_prompts(options), costs_of(resolve_pair(options), choose_device(options.device)));
}

}  // namespace fi
