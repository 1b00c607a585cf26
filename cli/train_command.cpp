#include <fmt/format.h>

#include <memory>

#include "cli/command.h"
#include "cli/options_cli.h"
#include "fi/compare/quality_words.h"
#include "fi/compare/splice_dictionary.h"
#include "fi/compare/train_stored.h"

namespace fi {
namespace {

constexpr const char* kTrainExamples =
    "Examples:\n"
    "  feature-interpreter capture BASE TARGET --layers 20 --output-dir run\n"
    "  feature-interpreter train --activations run --num-latents 4096 --k 32 --steps 300 --out dictionary\n"
    "  feature-interpreter train --activations run --num-latents 4096 --k 32 --steps 300 --out dictionary --resume\n"
    "  feature-interpreter train BASE TARGET --activations run --layers 20 --out dictionary\n"
    "  feature-interpreter capture BASE TARGET --layers 12+20 --output-dir run   (one dictionary that reads both layers)";

void print_spliced(const Json& splice, int64_t k) {
  if (!splice.is_object()) return;
  fmt::print("in place of {} held-out rows, on {} answer tokens: loss recovered {}; KL {}\n",
             splice.at("num_rows").get<int64_t>(), splice.at("num_answers").get<int64_t>(), recovered_text(splice, "crosscoder"),
             kl_text(splice, "crosscoder"));
  fmt::print("  loss recovered by PCA of rank {}: {}; random dictionary: {}; mean row: {}\n", k, recovered_text(splice, "pca"),
             recovered_text(splice, "random"), recovered_text(splice, "mean"));
}

void print_dictionary(const Json& result) {
  const Json& crosscoder = result.at("crosscoder");
  fmt::print("layer {}: {} latents, k {}, {} steps on {} rows\n", result.at("layers").get<std::string>(),
             result.at("num_latents").get<int64_t>(), result.at("k").get<int64_t>(), result.at("num_steps").get<int64_t>(),
             result.at("num_training_rows").get<int64_t>());
  fmt::print("fraction of variance explained on {} held-out rows: {}\n", crosscoder.at("num_rows").get<int64_t>(),
             explained_words(crosscoder));
  fmt::print("  PCA of rank {}: {}; random dictionary: {}\n", result.at("k").get<int64_t>(), explained_words(result.at("pca")),
             explained_words(result.at("random")));
  if (result.contains("stability")) fmt::print("{}\n", result.at("stability").get<std::string>());
  print_spliced(result.value("spliced", Json()), result.at("k").get<int64_t>());
  fmt::print("{:.1f} latents a row, {:.1f}% dead, {:.1f}% dense\n{}\n", crosscoder.at("l0").get<double>(),
             100.0 * crosscoder.at("dead_share").get<double>(), 100.0 * crosscoder.at("dense_share").get<double>(),
             result.at("folder").get<std::string>());
}

}  // namespace

Command add_train(CLI::App& parent) {
  auto request = std::make_shared<TrainRequest>();
  CLI::App* app = parent.add_subcommand("train", "Train a crosscoder on the rows that capture stored");
  app->add_option("base", request->models.base_model, "The base model, to measure what the reconstruction does to both");
  app->add_option("target", request->models.target_model, "The target model");
  add_options(*app, request->models, model_options());
  app->add_option("--activations", request->activations, "Output folder of a run, or one store of rows")->capture_default_str();
  app->add_option("--layers", request->layers,
                  "Layers, such as 12,20, or 12+20 for what was captured together (default: all that are stored)");
  app->add_option("--num-latents", request->num_latents, "Latents of the dictionary")->capture_default_str();
  app->add_option("--k", request->k, "Mean number of active latents a row")->capture_default_str();
  app->add_option("--steps", request->steps, "Training steps")->capture_default_str();
  app->add_option("--sparsity", request->sparsity, "How latents are kept few: batch_topk, l1 or jump_relu")
      ->capture_default_str();
  app->add_option("--penalty", request->penalty, "Weight of the penalty of l1 (on codes) or jump_relu (on active latents)");
  app->add_option("--shared-latents", request->shared_latents, "Share of latents with one decoder vector for both models, 0 to 1")
      ->capture_default_str();
  app->add_option("--batch-size", request->batch_size, "Rows a step")->capture_default_str();
  app->add_option("--learning-rate", request->learning_rate,
                  "Of Adam at its largest (0: 0.001, up to 0.007 for fewer than 3000 steps)")
      ->capture_default_str();
  app->add_option("--weight-decay", request->weight_decay,
                  "Vectors shrink by the learning rate times it a step (-1: 3 for batch_topk, none for the others)")
      ->capture_default_str();
  app->add_option("--seed", request->seed, "Seed of weights and row order")->capture_default_str();
  app->add_option("--seeds", request->seeds, "Train so many, from different seeds, and say which latents come back (seeds.json)")
      ->capture_default_str();
  app->add_flag("--resume", request->resume, "Go on from the newest checkpoint in the output folder");
  app->add_option("--out", request->out, "Folder of the dictionary, its quality, metrics and checkpoints")->capture_default_str();
  app->footer(kTrainExamples);
  return {app, [request](const Globals& globals, ProgressSink& progress) {
            const Json results = train_on_stored_rows(*request, progress);
            if (globals.json) {
              fmt::print("{}\n", results.dump());
              return;
            }
            for (const Json& result : results) print_dictionary(result);
          }};
}

}  // namespace fi
