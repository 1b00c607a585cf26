#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>

#include "cli/command.h"
#include "fi/compare/convert_dictionary.h"

namespace fi {
namespace {

constexpr const char* kImportExamples =
    "Examples:\n"
    "  feature-interpreter import sae-folder --out dictionary\n"
    "  feature-interpreter import blocks.14.hook_resid_pre --scales 0.2758,0.2442 --out dictionary\n"
    "  feature-interpreter import cc_weights.pt --activations run --layer 13 --out dictionary\n"
    "Read are crosscoders of dictionary_learning, ckkissane and OpenMOSS, and SAEs of SAELens, sparsify and dictionary_learning\n"
    "(safetensors and .pt; nothing of a file is run).";

void print_imported(const Json& result) {
  fmt::print("{}: {} model(s) of width {}, {} latents, {}\n", result.at("format").get<std::string>(),
             result.at("num_models").get<int64_t>(), result.at("d_model").get<int64_t>(), result.at("num_latents").get<int64_t>(),
             result.at("sparsity").get<std::string>());
  const auto scaling = result.at("scaling").get<std::string>();
  if (!scaling.empty()) {
    fmt::print("rows are multiplied by {:.4g} ({})\n", fmt::join(result.at("scales").get<std::vector<double>>(), ", "), scaling);
  }
  fmt::print("{}\n", result.at("folder").get<std::string>());
}

}  // namespace

Command add_import(CLI::App& parent) {
  auto request = std::make_shared<ImportRequest>();
  CLI::App* app = parent.add_subcommand("import", "Convert a dictionary that was trained elsewhere to the layout used here");
  app->add_option("source", request->source, "Folder or file of the dictionary")->required();
  app->add_option("--scales", request->scales,
                  "What the trainer multiplied each model's rows by, such as 0.21,0.24, where the file does not say");
  app->add_option("--activations", request->activations, "Stored rows to estimate these factors from");
  app->add_option("--layer", request->layer, "Which layer, where rows of several are stored");
  app->add_option("--out", request->out, "Folder of the converted dictionary")->capture_default_str();
  app->footer(kImportExamples);
  return {app, [request](const Globals& globals, ProgressSink& progress) {
            const Json result = convert_dictionary(*request, progress);
            if (globals.json) {
              fmt::print("{}\n", result.dump(-1, ' ', false, Json::error_handler_t::replace));
            } else {
              print_imported(result);
            }
          }};
}

}  // namespace fi
