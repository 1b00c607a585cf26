#include "cli/compare_command.h"

#include <fmt/format.h>

#include <memory>

#include "cli/options_cli.h"
#include "cli/plan_text.h"
#include "fi/compare/compare.h"
#include "fi/compare/plan.h"

namespace fi {
namespace {

constexpr const char* kCompareExamples =
    "Examples:\n"
    "  feature-interpreter compare Qwen/Qwen2-1.5B deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B\n"
    "  feature-interpreter compare --base-model model.gguf --target-adapter adapter_folder --budget quick\n"
    "  feature-interpreter compare BASE TARGET --prompts prompts.json --dry-run\n"
    "  feature-interpreter compare BASE TARGET --resume\n"
    "  feature-interpreter compare --outputs pairs.jsonl\n"
    "A prompt file is JSON: {\"category\": [\"prompt\", ...], ...}";

void print_result(const CompareResult& result, const Globals& globals) {
  if (globals.json) {
    fmt::print("{}\n", to_json(result).dump());
    return;
  }
  fmt::print("{}\n", result.summary);
  for (const auto& path : {result.report_html, result.report_markdown, result.report_json}) {
    if (!path.empty()) fmt::print("{}\n", path.string());
  }
}

}  // namespace

void run_comparison(const CompareOptions& options, bool dry_run, const Globals& globals, ProgressSink& progress) {
  if (!dry_run) {
    print_result(run_compare(options, progress), globals);
  } else if (globals.json) {
    fmt::print("{}", to_pretty_json(plan_compare(options)));
  } else {
    fmt::print("{}", plan_text(plan_compare(options)));
  }
}

Command add_compare(CLI::App& parent) {
  auto options = std::make_shared<CompareOptions>();
  auto dry_run = std::make_shared<bool>(false);
  CLI::App* app = parent.add_subcommand("compare", "Compare two models and write a report");
  add_model_words(*app, *options);
  add_options(*app, *options);
  app->add_flag("--dry-run", *dry_run, "Print the plan with estimated time, memory and disk, and stop");
  app->footer(kCompareExamples);
  return {app, [options, dry_run](const Globals& globals, ProgressSink& progress) {
            run_comparison(*options, *dry_run, globals, progress);
          }};
}

}  // namespace fi
