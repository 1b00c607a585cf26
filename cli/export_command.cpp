#include <fmt/format.h>

#include <memory>

#include "cli/command.h"
#include "fi/compare/export_dictionary.h"

namespace fi {
namespace {

constexpr const char* kExportExamples =
    "Examples:\n"
    "  feature-interpreter export dictionary --to saelens --out export\n"
    "  feature-interpreter export dictionary --to saelens,delphi --activations run --layer 20 --out export";

void print_export(const Json& result) {
  if (result.contains("delphi")) {
    const Json& cache = result.at("delphi");
    fmt::print("{} activations in {} windows of {} tokens\n{}\n", cache.at("num_activations").get<int64_t>(),
               cache.at("num_windows").get<int64_t>(), cache.at("window").get<int64_t>(), cache.at("folder").get<std::string>());
  }
  for (const Json& folder : result.value("saelens", Json::array())) fmt::print("{}\n", folder.get<std::string>());
}

}  // namespace

Command add_export(CLI::App& parent) {
  auto request = std::make_shared<ExportRequest>();
  CLI::App* app = parent.add_subcommand("export", "Write a dictionary for SAELens, and its activations for delphi");
  app->add_option("dictionary", request->dictionary, "Folder or file of a dictionary, trained here or elsewhere")->required();
  app->add_option("--to", request->formats, "saelens (an SAE for each model), delphi (activations on the stored texts) or both")
      ->required();
  app->add_option("--activations", request->activations, "Output folder of a run, or one store of rows");
  app->add_option("--layer", request->layer, "Which layer, where rows of several are stored");
  app->add_option("--scales", request->scales,
                  "What the trainer multiplied each model's rows by, such as 0.21,0.24, where the file does not say");
  app->add_option("--out", request->out, "Folder for saelens/ and delphi/")->capture_default_str();
  app->footer(kExportExamples);
  return {app, [request](const Globals& globals, ProgressSink& progress) {
            const Json result = export_dictionary(*request, progress);
            if (globals.json) {
              fmt::print("{}\n", result.dump(-1, ' ', false, Json::error_handler_t::replace));
            } else {
              print_export(result);
            }
          }};
}

}  // namespace fi
