#include <fmt/format.h>

#include <memory>

#include "cli/command.h"
#include "cli/options_cli.h"
#include "fi/compare/dictionary_features.h"
#include "fi/compare/quality_words.h"

namespace fi {
namespace {

constexpr const char* kFeaturesExamples =
    "Examples:\n"
    "  feature-interpreter capture BASE TARGET --layers 20 --output-dir run\n"
    "  feature-interpreter features BASE --dictionary DICTIONARY --activations run --out features";

constexpr size_t kShown = 12;

void print_latent(const Json& latent) {
  fmt::print("  {:<14} {:<9} base {:.3f}, target {:.3f}; raises {}\n", latent.at("id").get<std::string>(),
             latent.at("kind").get<std::string>(), latent.at("base_use").get<double>(), latent.at("target_use").get<double>(),
             fmt::join(latent.at("promoted").get<std::vector<std::string>>(), " · "));
}

void print_classes(const Json& result, const std::string& out) {
  const Json& quality = result.at("quality");
  fmt::print("layer {}: fraction of variance explained on {} rows: {}; {:.1f} latents a row\n",
             result.at("layers").get<std::string>(), quality.at("num_rows").get<int64_t>(), explained_words(quality),
             quality.at("l0").get<double>());
  for (const auto& [kind, count] : result.at("classes").items()) fmt::print("  {} {}\n", count.get<int64_t>(), kind);
  size_t shown = 0;
  for (const Json& latent : result.at("features")) {
    if (latent.at("kind") != "shared" && shown++ < kShown) print_latent(latent);
  }
  fmt::print("{}\n", out);
}

}  // namespace

Command add_features(CLI::App& parent) {
  auto request = std::make_shared<FeaturesRequest>();
  CLI::App* app = parent.add_subcommand("features", "Class the latents of a dictionary on the rows that capture stored");
  app->add_option("base", request->models.base_model, "The base model, for its tokenizer and unembedding");
  app->add_option("--dictionary", request->dictionary, "Folder or file of a crosscoder, trained here or elsewhere")->required();
  app->add_option("--scales", request->scales,
                  "What the trainer multiplied each model's rows by, such as 0.21,0.24 (default: what the dictionary says, or an "
                  "estimate)");
  app->add_option("--activations", request->activations, "Output folder of a run, or one store of rows")->capture_default_str();
  app->add_option("--layer", request->layer, "Which layer, or layers together (12+20), where rows of several are stored");
  app->add_option("--min-firings", request->min_firings, "Firings below which a latent gets no class")->capture_default_str();
  app->add_option("--out", request->out, "Folder for classes.json and latents.json")->capture_default_str();
  add_options(*app, request->models, {"base_model", "device", "quantization", "cache_dir", "revision_base"});
  app->footer(kFeaturesExamples);
  return {app, [request](const Globals& globals, ProgressSink& progress) {
            const Json result = features_of_dictionary(*request, progress);
            if (globals.json) {
              fmt::print("{}\n", result.dump(-1, ' ', false, Json::error_handler_t::replace));
            } else {
              print_classes(result, request->out);
            }
          }};
}

}  // namespace fi
