#include <fmt/format.h>

#include <memory>

#include "cli/command.h"
#include "cli/options_cli.h"
#include "fi/compare/compare.h"
#include "fi/compare/run_files.h"

namespace fi {
namespace {

constexpr const char* kCaptureExamples =
    "Examples:\n"
    "  feature-interpreter capture BASE TARGET --output-dir run\n"
    "  feature-interpreter compare BASE TARGET --output-dir run --skip-activations";

const std::vector<std::string>& capture_options() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all = model_options();
    for (const char* name : {"output_dir", "prompts", "concepts", "budget", "feature_threshold", "max_new_tokens", "layers",
                             "tokens", "texts", "text_column", "seed", "resume"})
      all.emplace_back(name);
    return all;
  }();
  return names;
}

}  // namespace

Command add_capture(CLI::App& parent) {
  auto options = std::make_shared<CompareOptions>();
  CLI::App* app = parent.add_subcommand("capture", "Only run both models and store what they do in OUTPUT/activations");
  add_model_words(*app, *options);
  add_options(*app, *options, capture_options());
  app->footer(kCaptureExamples);
  return {app, [options](const Globals& globals, ProgressSink& progress) {
            const auto folder = RunFolders::in(options->output_dir).activations;
            const Json manifest = extract_activations(*options, folder, progress);
            if (globals.json) {
              fmt::print("{}\n", manifest.dump());
            } else {
              fmt::print("{} prompts answered by both models\n{}\n", manifest.at("num_prompts").get<int64_t>(), folder.string());
            }
          }};
}

}  // namespace fi
