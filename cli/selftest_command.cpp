#include <fmt/format.h>

#include <memory>

#include "cli/command.h"
#include "cli/demo_model.h"
#include "cli/options_cli.h"
#include "fi/compare/selftest.h"

namespace fi {
namespace {

constexpr const char* kSelftestExamples =
    "Examples:\n"
    "  feature-interpreter selftest\n"
    "  feature-interpreter selftest MODEL --budget standard\n"
    "Three comparisons; the log says how long each takes. Comparisons of this base on this machine then say in their report what "
    "was\n"
    "found.";

std::string mark(const Json& value) {
  if (value.is_null()) return "-";
  return value.get<bool>() ? "yes" : "no";
}

void print_plants(const Json& document) {
  for (const Json& plant : document.at("plants")) {
    fmt::print("{} ({}): the target {}\n  found {}, kind {}, layer {}, verified {}; {} claims, {} false\n",
               plant.at("id").get<std::string>(), plant.at("kind").get<std::string>(), plant.at("what").get<std::string>(),
               mark(plant.at("found")), mark(plant.at("kind_right")), mark(plant.at("layer_right")), mark(plant.at("verified")),
               plant.at("claims").get<int64_t>(), plant.at("false_claims").get<int64_t>());
  }
  if (const auto left_out = document.at("left_out").get<std::string>(); !left_out.empty()) fmt::print("{}\n", left_out);
  fmt::print("recall {:.2f}, precision {}\n", document.at("recall").get<double>(),
             document.at("precision").is_null() ? "-" : fmt::format("{:.2f}", document.at("precision").get<double>()));
}

}  // namespace

Command add_selftest(CLI::App& parent) {
  auto options = std::make_shared<CompareOptions>();
  options->output_dir = "selftest";
  options->budget = "quick";
  CLI::App* app = parent.add_subcommand("selftest", "Plant known changes into a model and count how many are found");
  app->add_option("model", options->base_model, "Model: hub name, folder or GGUF file (default: the demo's)");
  add_options(*app, *options,
              {"output_dir", "prompts", "concepts", "device", "quantization", "cache_dir", "revision_base", "budget",
               "feature_threshold", "max_new_tokens", "seed"});
  app->footer(kSelftestExamples);
  return {app, [options](const Globals& globals, ProgressSink& progress) {
            CompareOptions chosen = *options;
            if (chosen.base_model.empty()) chosen.base_model = demo_model();
            const Json document = selftest(chosen, progress);
            if (globals.json) {
              fmt::print("{}\n", document.dump());
            } else {
              print_plants(document);
            }
          }};
}

}  // namespace fi
