#include <fmt/format.h>

#include <memory>

#include "cli/command.h"
#include "cli/options_cli.h"
#include "fi/compare/calibrate.h"

namespace fi {
namespace {

constexpr const char* kCalibrateExamples =
    "Examples:\n"
    "  feature-interpreter calibrate MODEL --budget quick\n"
    "  feature-interpreter calibrate MODEL --run feature_interpretation --shuffles 200\n"
    "Comparisons of this base on this machine then say in their report what was measured.";

void print_rows(const Json& document) {
  for (const Json& row : document.at("tests")) {
    fmt::print("{}: a claim in {} of {} (95% interval {:.1f}% to {:.1f}%)\n", row.at("kind").get<std::string>(),
               row.at("with_claim").get<int64_t>(), row.at("trials").get<int64_t>(), 100.0 * row.at("ci_low").get<double>(),
               100.0 * row.at("ci_high").get<double>());
  }
  if (const auto left_out = document.at("left_out").get<std::string>(); !left_out.empty()) fmt::print("{}\n", left_out);
}

}  // namespace

Command add_calibrate(CLI::App& parent) {
  auto request = std::make_shared<CalibrateRequest>();
  request->options.output_dir = "calibration";
  request->options.budget = "quick";
  CLI::App* app = parent.add_subcommand("calibrate", "Measure how often the tool claims what is not there");
  app->add_option("model", request->options.base_model, "Model: hub name, folder or GGUF file")->required();
  app->add_option("--run", request->runs,
                  "Finished run whose answers are analysed with shuffled labels, too; several are possible")
      ->allow_extra_args(false);
  app->add_option("--shuffles", request->num_shuffles, "How often labels are shuffled")->capture_default_str();
  add_options(*app, request->options,
              {"output_dir", "prompts", "concepts", "device", "quantization", "cache_dir", "revision_base", "budget",
               "feature_threshold", "max_new_tokens", "seed"});
  app->footer(kCalibrateExamples);
  return {app, [request](const Globals& globals, ProgressSink& progress) {
            const Json document = calibrate(*request, progress);
            if (globals.json) {
              fmt::print("{}\n", document.dump());
            } else {
              print_rows(document);
            }
          }};
}

}  // namespace fi
