#include <fmt/format.h>

#include <memory>

#include "cli/command.h"
#include "cli/options_cli.h"
#include "fi/compare/steer_run.h"

namespace fi {
namespace {

constexpr const char* kSteerExamples =
    "Examples:\n"
    "  feature-interpreter steer BASE TARGET --run feature_interpretation --prompt \"Why is the sky blue?\"\n"
    "  feature-interpreter steer BASE TARGET --run feature_interpretation --claim 1 --prompt \"Name a fruit.\"\n"
    "  feature-interpreter steer BASE TARGET --run feature_interpretation --feature L18-pca-0 --strength 2 --prompt \"Why?\"\n"
    "Without --strength the base takes the target's values inside the feature's subspace, token by token.";

std::string share_text(const Json& share) {
  return share.is_null() ? "the models hardly differ on this answer"
                         : fmt::format("{:+.0f}% of the gap to the target's answer", 100.0 * share.get<double>());
}

void print_steered(const Json& result) {
  const Json& strength = result.at("strength");
  fmt::print("{}\nlayer {}, rank {}, {}\n", result.at("what").get<std::string>(), result.at("layer").get<int64_t>(),
             result.at("rank").get<int64_t>(),
             strength.is_null() ? "the target's values" : fmt::format("strength {}", strength.get<double>()));
  for (const Json& row : result.at("answers")) {
    fmt::print("\nprompt: {}\n", row.at("prompt").get<std::string>());
    fmt::print("base: {}\n", row.at("base").get<std::string>());
    fmt::print("base, steered ({}): {}\n", share_text(row.at("share_closed")), row.at("steered").get<std::string>());
    fmt::print("target: {}\n", row.at("target").get<std::string>());
    fmt::print("control, as far in a random direction ({}): {}\n", share_text(row.at("control_share_closed")),
               row.at("control").get<std::string>());
  }
}

}  // namespace

Command add_steer(CLI::App& parent) {
  auto request = std::make_shared<SteerRequest>();
  auto strength = std::make_shared<double>(0.0);
  CLI::App* app = parent.add_subcommand("steer", "Try a feature of a finished run on prompts of your own");
  add_model_words(*app, request->models);
  app->add_option("--run", request->run, "Folder of the finished run")->required();
  app->add_option("--prompt", request->prompts, "A prompt; give it several times for several")
      ->required()
      ->allow_extra_args(false);
  app->add_option("--feature", request->feature, "Id of a feature, as the report names it");
  app->add_option("--claim", request->claim, "Number of a claim (default: the strongest that was located, or else a feature)");
  CLI::Option* given = app->add_option("--strength", *strength,
                                       "Add so many typical differences of the models instead of the target's own values");
  app->add_option("--max-new-tokens", request->max_new_tokens, "Longest answer in tokens")->capture_default_str();
  std::vector<std::string> names = model_options();
  names.push_back("seed");
  add_options(*app, request->models, names);
  app->footer(kSteerExamples);
  return {app, [request, strength, given](const Globals& globals, ProgressSink& progress) {
            if (given->count() > 0) request->strength = *strength;
            const Json result = steer_by_run(*request, progress);
            if (globals.json) {
              fmt::print("{}\n", result.dump(-1, ' ', false, Json::error_handler_t::replace));
            } else {
              print_steered(result);
            }
          }};
}

}  // namespace fi
