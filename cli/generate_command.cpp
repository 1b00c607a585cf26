#include <fmt/format.h>

#include <memory>

#include "cli/command.h"
#include "cli/options_cli.h"
#include "fi/compare/generate_answers.h"

namespace fi {
namespace {

constexpr const char* kGenerateExamples =
    "Examples:\n"
    "  feature-interpreter generate MODEL --prompt \"What is 3 + 4?\" --prompt \"And 5 + 6?\"\n"
    "  feature-interpreter generate MODEL --target OTHER --prompt \"Name a fruit.\"\n"
    "  feature-interpreter generate MODEL --adapter adapter_folder --prompt \"Name a fruit.\" --temperature 0.7 --seed 1";

void print_answers(const Json& result) {
  const Json& models = result.at("models");
  for (const Json& entry : result.at("answers")) {
    fmt::print("prompt: {}\n", entry.at("prompt").get<std::string>());
    for (const char* side : {"base", "target"}) {
      if (models.contains(side)) fmt::print("{}: {}\n", side, entry.at(side).get<std::string>());
    }
    fmt::print("\n");
  }
}

}  // namespace

Command add_generate(CLI::App& parent) {
  auto request = std::make_shared<AnswerRequest>();
  CompareOptions& models = request->models;
  CLI::App* app = parent.add_subcommand("generate", "Answer prompts with one model, or with two side by side");
  app->add_option("model", models.base_model, "Model: hub name, folder, GGUF file")->required();
  app->add_option("--prompt", request->prompts, "A prompt; give it several times for several")
      ->required()
      ->allow_extra_args(false);
  app->add_option("--target", models.target_model, "Second model, answering beside the first");
  app->add_option("--adapter", models.target_adapter, "PEFT adapter folder of the second model (default: the first)");
  app->add_option("--max-new-tokens", request->max_new_tokens, "Longest answer in tokens")->capture_default_str();
  app->add_option("--temperature", request->temperature, "Of sampling; 0 takes the most probable token")->capture_default_str();
  app->add_option("--top-p", request->top_p, "Sample from the most probable tokens of this total")->capture_default_str();
  add_options(*app, models,
              {"device", "quantization", "cache_dir", "revision_base", "revision_target", "offload", "offline", "strict",
               "allow_unused", "seed"});
  app->footer(kGenerateExamples);
  return {app, [request](const Globals& globals, ProgressSink& progress) {
            const Json result = generate_answers(*request, progress);
            if (globals.json) {
              fmt::print("{}\n", result.dump(-1, ' ', false, Json::error_handler_t::replace));
            } else {
              print_answers(result);
            }
          }};
}

}  // namespace fi
