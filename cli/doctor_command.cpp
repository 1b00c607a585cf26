#include <fmt/format.h>

#include <memory>

#include "cli/command.h"
#include "cli/options_cli.h"
#include "cli/weight_map_text.h"
#include "fi/compare/compare.h"

namespace fi {

Command add_doctor(CLI::App& parent) {
  auto options = std::make_shared<CompareOptions>();
  CLI::App* app = parent.add_subcommand("doctor", "How two models are related, from their files, without running them");
  add_model_words(*app, *options);
  add_options(*app, *options, model_options());
  app->footer(
      "Examples:\n  feature-interpreter doctor BASE TARGET\n  feature-interpreter doctor BASE --target-adapter FOLDER --json");
  return {app, [options](const Globals& globals, ProgressSink& progress) {
            const Json relation = doctor(*options, progress);
            if (globals.json) {
              fmt::print("{}\n", relation.dump());
              return;
            }
            for (const char* key : {"base", "target", "relation", "evidence"})
              fmt::print("{}: {}\n", key, relation.at(key).get<std::string>());
            fmt::print("{}", weight_map_text(relation.at("weights")));
          }};
}

}  // namespace fi
