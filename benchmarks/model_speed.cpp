// Tokens per second of generation and of the teacher-forced pass on the built-in prompts; one line of JSON.
// Usage: model_speed MODEL [--adapter FOLDER] [--prompts 64] [--new 48] [--batch 32] [--quantization fp32]
// compare_builds.py runs two builds of this program by turns and prints their ratio.

#include <fmt/format.h>

#include <chrono>
#include <ctime>
#include <map>

#include "fi/core/hash.h"
#include "fi/model/generate.h"
#include "fi/model/load_model.h"
#include "fi/prompts/prompt_set.h"

namespace {

using namespace fi;

struct Cost {
  double wall = 0.0;  // seconds
  double cpu = 0.0;   // seconds over all threads: on a shared machine the steadier figure
};

template <typename Work>
Cost cost_of(Work&& work) {
  const auto start = std::chrono::steady_clock::now();
  const std::clock_t cpu = std::clock();
  work();
  return {std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(),
          static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC};
}

// Prompts of every category by turns, each in the model's chat template and long enough to be typical of a question with context.
std::vector<TokenIds> prompts_of(const Tokenizer& tokenizer, size_t count) {
  std::vector<TokenIds> prompts;
  const auto& categories = builtin_prompts().categories;
  for (size_t i = 0; prompts.size() < count; ++i) {
    const PromptCategory& category = categories[i % categories.size()];
    const auto text = [&](size_t k) { return category.prompts[(i / categories.size() + k) % category.prompts.size()]; };
    prompts.push_back(tokenizer.encode_prompt(text(0) + "\n" + text(1) + "\n" + text(2)));
  }
  return prompts;
}

int64_t total_tokens(const std::vector<TokenIds>& sequences) {
  int64_t total = 0;
  for (const TokenIds& ids : sequences) total += static_cast<int64_t>(ids.size());
  return total;
}

int run(std::map<std::string, std::string> arguments, const std::string& model_name) {
  const auto number = [&](const char* key, int64_t fallback) {
    return arguments.contains(key) ? std::stoll(arguments[key]) : fallback;
  };
  const ModelFiles files = resolve_model(model_name, {});
  const Tokenizer tokenizer = Tokenizer::load(files);
  const std::string quantization = arguments.contains("--quantization") ? arguments["--quantization"] : "fp32";
  Decoder model = load_model(files, {.device = "cpu", .quantization = quantization}, silent_progress());
  if (arguments.contains("--adapter")) model = apply_adapter(model, arguments["--adapter"]);
  const std::vector<TokenIds> prompts = prompts_of(tokenizer, static_cast<size_t>(number("--prompts", 64)));
  std::vector<Generation> answers;
  const Cost generation = cost_of([&] {
    answers =
        generate(model, prompts,
                 {.max_new_tokens = number("--new", 48), .batch_size = number("--batch", 32), .stop_ids = tokenizer.stop_ids()},
                 silent_progress());
  });
  TokenIds all;
  for (const Generation& answer : answers) all.insert(all.end(), answer.ids.begin(), answer.ids.end());
  const std::string digest = sha256_of_bytes({reinterpret_cast<const char*>(all.data()), all.size() * sizeof(int32_t)});
  const Cost reading = cost_of([&] {
    ForwardOptions options;
    options.logit_rows = at::empty({0}, at::kLong);
    for (size_t i = 0; i < prompts.size(); i += 8)
      model.forward(pack({prompts.data() + i, std::min<size_t>(8, prompts.size() - i)}), options);
  });
  const auto read = static_cast<double>(total_tokens(prompts));
  fmt::print(
      "{{\"prompts\":{},\"prompt_tokens\":{},\"new_tokens\":{},\"generate_wall\":{:.3f},\"generate_cpu\":{:.3f},"
      "\"read_wall\":{:.3f},\"read_cpu\":{:.3f},\"answers\":\"{}\"}}\n",
      prompts.size(), read, all.size(), generation.wall, generation.cpu, reading.wall, reading.cpu, digest.substr(0, 12));
  return 0;
}

}  // namespace

int main(int argc, char** argv) try {
  std::map<std::string, std::string> arguments;
  for (int i = 2; i + 1 < argc; i += 2) arguments[argv[i]] = argv[i + 1];
  if (argc < 2) return fmt::print("usage: model_speed MODEL [--adapter FOLDER] [--prompts N] [--new N] [--batch N]\n"), 2;
  return run(std::move(arguments), argv[1]);
} catch (const std::exception& error) {
  fmt::print(stderr, "{}\n", error.what());
  return 1;
}
