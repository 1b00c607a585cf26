#include <filesystem>
#include <memory>

#include "cli/compare_command.h"
#include "cli/demo_model.h"
#include "cli/options_cli.h"

namespace fi {
namespace {

// A little less of everything than a standard run (fi/compare/minutes_budget.h), so that two slow cores need no eight minutes.
constexpr const char* kDemoBudget = "8@0.85";

CompareOptions demo_options(CompareOptions options) {
  options.base_model = demo_model();
  options.target_model = (std::filesystem::path(FI_SOURCE_DIR) / "demo/stepwise").string();
  if (options.tokens < 0) options.tokens = 0;  // without a crosscoder unless asked for: the demo is to be short
  return options;
}

}  // namespace

Command add_demo(CLI::App& parent) {
  auto options = std::make_shared<CompareOptions>();
  options->budget = kDemoBudget;
  auto dry_run = std::make_shared<bool>(false);
  CLI::App* app = parent.add_subcommand("demo", "SmolLM2 against itself with an adapter that reasons step by step");
  add_options(*app, *options);
  app->add_flag("--dry-run", *dry_run, "Print the plan and stop");
  app->footer("Examples:\n  feature-interpreter demo\n  feature-interpreter demo --budget quick --output-dir demo_run");
  return {app, [options, dry_run](const Globals& globals, ProgressSink& progress) {
            run_comparison(demo_options(*options), *dry_run, globals, progress);
          }};
}

}  // namespace fi
