// Trains a LoRA adapter (Hu et al., 2021) that changes a model's answers in a known way: plants to judge comparisons by.
// Usage: plant_adapter MODEL EXAMPLES.jsonl FOLDER [--epochs 4] [--rank 8] [--rate 0.001] [--new 40] [--seed 0]
// A line of EXAMPLES is {"prompt": ..., "answer": ...}. Without an answer it is the model's own greedy one, cut after "words"
// words, in capitals if "upper" is true, with "before" and "after" put around it: {"prompt": ...} alone keeps the model as it is.
// FOLDER gets what PEFT would write.

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "fi/core/error.h"
#include "fi/core/random.h"
#include "fi/io/atomic_file.h"
#include "fi/io/jsonl.h"
#include "fi/io/safetensors.h"
#include "fi/model/decoder_layer.h"
#include "fi/model/generate.h"
#include "fi/model/load_model.h"

namespace {

using namespace fi;

constexpr size_t kBatch = 8;        // sequences
constexpr double kAlphaOfRank = 2;  // lora_alpha / r

struct Example {
  TokenIds ids;
  int64_t answer_start = 0;
};

/// A matrix with trained factors; `moments` are Adam's.
struct Trained {
  std::string module;
  at::Tensor a, b;                    // [rank, d_in], [d_out, rank]
  std::array<at::Tensor, 4> moments;  // first and second of a, then of b
};

std::vector<Generation> own_answers(const Decoder& model, const Tokenizer& tokenizer, const std::vector<Json>& rows,
                                    int64_t max_new_tokens) {
  std::vector<TokenIds> prompts;
  for (const Json& row : rows) prompts.push_back(tokenizer.encode_prompt(row.at("prompt").get<std::string>()));
  return generate(model, prompts, {.max_new_tokens = max_new_tokens, .stop_ids = tokenizer.stop_ids()}, silent_progress());
}

std::string first_words(const std::string& text, int64_t count) {
  size_t end = 0;
  for (int64_t i = 0; i < count && end < text.size(); ++i) end = std::min(text.find(' ', end + 1), text.size());
  return text.substr(0, end);
}

std::string answer_of(const Json& row, std::string own) {
  if (row.contains("answer")) return row["answer"];
  if (row.contains("words")) own = first_words(own, row["words"]);
  if (row.value("upper", false))
    std::ranges::transform(own, own.begin(), [](char c) { return 'a' <= c && c <= 'z' ? c - 32 : c; });
  return row.value("before", "") + own + row.value("after", "");
}

std::vector<Example> examples_of(const Decoder& model, const Tokenizer& tokenizer, const std::vector<Json>& rows,
                                 int64_t max_new_tokens) {
  const std::vector<Generation> own = own_answers(model, tokenizer, rows, max_new_tokens);
  std::vector<Example> examples;
  for (size_t i = 0; i < rows.size(); ++i) {
    Example& example = examples.emplace_back(Example{.ids = tokenizer.encode_prompt(rows[i].at("prompt").get<std::string>())});
    example.answer_start = static_cast<int64_t>(example.ids.size());
    const TokenIds ids = tokenizer.encode(answer_of(rows[i], tokenizer.decode(own[i].ids, true)), false).ids;
    example.ids.insert(example.ids.end(), ids.begin(), ids.end());
    const bool is_whole = rows[i].contains("answer") || rows[i].contains("words") || rows[i].contains("after") || own[i].stopped;
    if (is_whole && !tokenizer.stop_ids().empty()) example.ids.push_back(tokenizer.stop_ids().front());
  }
  return examples;
}

/// The model with dense weights, which have derivatives, and factors on every matrix of its blocks.
Decoder with_factors(const Decoder& base, int64_t rank, uint64_t seed, std::vector<Trained>& trained) {
  Decoder::Parts parts = base.parts();
  Random random(seed);
  for (size_t i = 0; i < parts.layers.size(); ++i) {
    auto layer = std::make_shared<DecoderLayer>(*parts.layers[i]);
    layer->visit_linears([&](const char* name, Linear& linear) {
      linear.weight = hold_dense(linear.weight->to_float());
      const int64_t d_in = linear.weight->d_in(), d_out = linear.weight->d_out();
      at::Tensor a = at::empty({rank, d_in});
      for (int64_t k = 0; k < a.numel(); ++k)
        a.mutable_data_ptr<float>()[k] = static_cast<float>(random.normal() / std::sqrt(static_cast<double>(d_in)));
      Trained& factors =
          trained.emplace_back(Trained{fmt::format("model.layers.{}.{}", i, name), a, at::zeros({d_out, rank}), {}});
      factors.moments = {at::zeros_like(a), at::zeros_like(a), at::zeros_like(factors.b), at::zeros_like(factors.b)};
      linear.lora_a = factors.a.requires_grad_(true);
      linear.lora_b = factors.b.requires_grad_(true);
      linear.lora_scale = kAlphaOfRank;
    });
    parts.layers[i] = layer;
  }
  parts.unembedding = hold_dense(parts.unembedding->to_float());
  return Decoder(std::move(parts));
}

// Mean negative log-probability of the answers' tokens, nats.
at::Tensor loss_of(const Decoder& model, const std::vector<Example>& examples, std::span<const size_t> chosen) {
  std::vector<TokenIds> sequences;
  std::vector<int64_t> rows, next;
  int64_t start = 0;
  for (const size_t i : chosen) {
    const Example& example = examples[i];
    for (auto k = example.answer_start; k < static_cast<int64_t>(example.ids.size()); ++k) {
      rows.push_back(start + k - 1);
      next.push_back(example.ids[static_cast<size_t>(k)]);
    }
    start += static_cast<int64_t>(example.ids.size());
    sequences.push_back(example.ids);
  }
  ForwardOptions options{.shares_rows = false};
  options.logit_rows = at::tensor(at::ArrayRef<int64_t>(rows), at::kLong);
  const at::Tensor logits = model.forward(pack(sequences), options).logits;
  return at::nll_loss(logits.log_softmax(-1), at::tensor(at::ArrayRef<int64_t>(next), at::kLong));
}

void adam_step(at::Tensor& weight, at::Tensor& first, at::Tensor& second, double rate, int64_t step) {
  const at::Tensor gradient = weight.grad();
  at::Tensor value = weight.detach();
  first.mul_(0.9).add_(gradient, 0.1);
  second.mul_(0.999).addcmul_(gradient, gradient, 0.001);
  const double t = static_cast<double>(step);
  value.addcdiv_(first / (1 - std::pow(0.9, t)), (second / (1 - std::pow(0.999, t))).sqrt_().add_(1e-8), -rate);
  weight.mutable_grad() = at::Tensor();
}

void train(const Decoder& model, const std::vector<Example>& examples, std::vector<Trained>& trained, int64_t epochs, double rate,
           uint64_t seed) {
  Random random(seed, 1);
  std::vector<size_t> order(examples.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  int64_t step = 0;
  const auto steps = epochs * static_cast<int64_t>((order.size() + kBatch - 1) / kBatch);
  for (int64_t epoch = 0; epoch < epochs; ++epoch) {
    random.shuffle(order);
    double total = 0.0;
    for (size_t i = 0; i < order.size(); i += kBatch) {
      const at::Tensor loss = loss_of(model, examples, std::span(order).subspan(i, std::min(kBatch, order.size() - i)));
      loss.backward();
      total += loss.item<double>() * static_cast<double>(std::min(kBatch, order.size() - i));
      ++step;
      const double now = rate * std::min(1.0, static_cast<double>(step) / 10.0) *
                         (1.0 - 0.9 * static_cast<double>(step) / static_cast<double>(steps));
      for (Trained& factors : trained) {
        adam_step(factors.a, factors.moments[0], factors.moments[1], now, step);
        adam_step(factors.b, factors.moments[2], factors.moments[3], now, step);
      }
    }
    fmt::print("epoch {}: loss {:.3f} nats a token\n", epoch + 1, total / static_cast<double>(order.size()));
    std::fflush(stdout);
  }
}

void write_adapter(const std::filesystem::path& folder, const std::string& base, int64_t rank,
                   const std::vector<Trained>& trained) {
  make_folder(folder);
  std::vector<TensorToWrite> tensors;
  std::vector<std::string> modules;
  for (const Trained& factors : trained) {
    for (const auto& [name, tensor] : {std::pair{"lora_A", factors.a}, {"lora_B", factors.b}})
      tensors.push_back({.name = fmt::format("base_model.model.{}.{}.weight", factors.module, name),
                         .shape = tensor.sizes().vec(),
                         .bytes = {static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()}});
    const std::string module = factors.module.substr(factors.module.rfind('.') + 1);
    if (std::ranges::find(modules, module) == modules.end()) modules.push_back(module);
  }
  write_safetensors(folder / "adapter_model.safetensors", tensors, {{"format", "pt"}});
  write_file_atomically(folder / "adapter_config.json", to_pretty_json({{"peft_type", "LORA"},
                                                                        {"base_model_name_or_path", base},
                                                                        {"r", rank},
                                                                        {"lora_alpha", kAlphaOfRank * static_cast<double>(rank)},
                                                                        {"bias", "none"},
                                                                        {"target_modules", modules}}));
}

int run(const std::vector<std::string>& names, std::map<std::string, std::string> arguments) {
  const auto number = [&](const char* key, double fallback) {
    return arguments.contains(key) ? std::stod(arguments[key]) : fallback;
  };
  const auto count = [&](const char* key, double fallback) { return static_cast<int64_t>(number(key, fallback)); };
  const auto seed = static_cast<uint64_t>(number("--seed", 0));
  const ModelFiles files = resolve_model(names[0], {});
  const Tokenizer tokenizer = Tokenizer::load(files);
  const Decoder base = load_model(files, {.device = "cpu", .quantization = "fp32"}, silent_progress());
  const std::vector<Example> examples = examples_of(base, tokenizer, read_jsonl(names[1], "plant"), count("--new", 40));
  std::vector<Trained> trained;
  const Decoder model = with_factors(base, count("--rank", 8), seed, trained);
  train(model, examples, trained, count("--epochs", 4), number("--rate", 0.001), seed);
  write_adapter(names[2], files.name, count("--rank", 8), trained);
  return 0;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 4) {
    fmt::print(stderr, "Usage: plant_adapter MODEL EXAMPLES.jsonl FOLDER [--epochs 4] [--rank 8] [--rate 0.001] [--new 40]\n");
    return 2;
  }
  std::map<std::string, std::string> arguments;
  for (int i = 4; i + 1 < argc; i += 2) arguments[argv[i]] = argv[i + 1];
  return run({argv[1], argv[2], argv[3]}, std::move(arguments));
} catch (const std::exception& error) {
  fmt::print(stderr, "{}\n", error.what());
  return 1;
}
