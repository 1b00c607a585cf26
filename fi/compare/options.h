#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "fi/core/json.h"

namespace fi {

/// Everything that a user can ask of a comparison. Paths are strings; an empty string means "not given".
struct CompareOptions {
  std::string base_model;
  std::string target_model;
  std::string target_adapter;
  std::string output_dir = "feature_interpretation";
  std::string crosscoder_file;
  std::string outputs;
  std::string prompts;
  std::string concepts;
  std::string explainer;
  std::string explainer_model;
  std::string device = "auto";
  std::string quantization = "auto";
  std::string cache_dir;
  std::string revision_base = "main";
  std::string revision_target = "main";
  bool offload = false;
  bool offline = false;
  bool strict = false;
  bool allow_unused = false;
  std::string report_format = "both";
  std::string budget = "standard";
  double feature_threshold = 0.3;
  int64_t max_new_tokens = 0;
  std::string layers;
  int64_t num_latents = 0;
  int64_t k = 0;
  int64_t tokens = -1;
  std::string texts;
  std::string text_column = "text";
  int64_t seeds = 1;
  int64_t seed = 0;
  bool skip_activations = false;
  bool skip_naming = false;
  bool skip_visualization = false;
  bool skip_report = false;
  bool resume = false;

  bool operator==(const CompareOptions&) const = default;
};

/// Calls `visit(name, help, member)` for every option, in the order of the help text. The only list of options: the command line,
/// Python keywords, JSON, the manifest and the documentation are made from it.
template <typename Options, typename Visitor>
void visit_options(Options& options, Visitor&& visit) {
  visit("base_model", "Base model: hub name, folder, GGUF file", options.base_model);
  visit("target_model", "Target model: hub name, folder, GGUF file or PEFT adapter folder", options.target_model);
  visit("target_adapter", "PEFT adapter folder to put on the target (default target: the base)", options.target_adapter);
  visit("output_dir", "Directory to save results", options.output_dir);
  visit("crosscoder_file", "Crosscoder analysis file (JSON); its weight similarities are shown layer by layer",
        options.crosscoder_file);
  visit("outputs",
        "JSON-lines file of answers that were made elsewhere (prompt, base_output, target_output, optional category): no model "
        "is run",
        options.outputs);
  visit("prompts", "JSON file: category to list of prompts (default: the built-in categories)", options.prompts);
  visit("concepts", "JSON file with more concept detectors", options.concepts);
  visit("explainer",
        "Chat model that describes features: base or target, or an address (OpenAI protocol, such as "
        "http://localhost:11434/v1; texts of prompts and answers are sent there; its key: FI_EXPLAINER_KEY)",
        options.explainer);
  visit("explainer_model", "Name of the model at that address", options.explainer_model);
  visit("device", "Device to use: auto, cpu, cuda or cuda:N", options.device);
  visit("quantization", "How weights are held: fp32, fp16, bf16, int8, stored (left in the file) or auto", options.quantization);
  visit("cache_dir", "Model cache directory (default: the Hugging Face cache)", options.cache_dir);
  visit("revision_base", "Revision of the base model", options.revision_base);
  visit("revision_target", "Revision of the target model", options.revision_target);
  visit("offload", "Leave weights in their files and stream them from disk layer by layer, for models larger than memory",
        options.offload);
  visit("offline", "Open no socket: use what the model cache holds", options.offline);
  visit("strict", "Stop where weights are NaN or infinite, instead of a warning", options.strict);
  visit("allow_unused", "Go on, with a warning, where a model's files hold tensors that its architecture does not read",
        options.allow_unused);
  visit("report_format", "Report format: markdown, html or both", options.report_format);
  visit("budget", "How long to look: quick, standard, thorough, or a number of minutes", options.budget);
  visit("feature_threshold", "Smallest effect size (Cliff's delta, 0 to 1) that is reported", options.feature_threshold);
  visit("max_new_tokens", "Length of generated answers in tokens (0: as the budget says)", options.max_new_tokens);
  visit(
      "layers",
      "Layers to train a crosscoder on, such as 12,20, or 12+20 for one that reads both (default: where the strongest change is)",
      options.layers);
  visit("num_latents", "Latents of a crosscoder (0: as the budget says)", options.num_latents);
  visit("k", "Mean number of active latents a token (0: as the budget says)", options.k);
  visit("tokens", "Tokens that a crosscoder is trained on (0: none is trained; -1: as the budget says)", options.tokens);
  visit(
      "texts",
      "File of texts that a crosscoder is trained on beside the prompts' answers: JSON lines, Parquet or plain text (paragraphs)",
      options.texts);
  visit("text_column", "Its field or column with a text, or with a list of chat messages", options.text_column);
  visit("seeds", "Crosscoders trained at each layer from different seeds, to see which latents come back (1: no such check)",
        options.seeds);
  visit("seed", "Seed of every random choice", options.seed);
  visit("skip_activations", "Skip activation extraction and reuse what the output directory holds", options.skip_activations);
  visit("skip_naming", "Skip feature naming and reuse what the output directory holds", options.skip_naming);
  visit("skip_visualization", "Skip visualization creation", options.skip_visualization);
  visit("skip_report", "Skip report generation", options.skip_report);
  visit("resume", "Continue an interrupted run in the output directory", options.resume);
}

Json to_json(const CompareOptions& options);
/// Unknown keys and wrong types are kUsage errors that name the nearest known option. Absent keys keep their defaults.
CompareOptions options_from_json(const Json& document);
/// The options that results depend on: how a run reuses what a folder holds is left out.
CompareOptions without_reuse(CompareOptions options);
/// How weights are to be held, --offload considered.
std::string wanted_quantization(const CompareOptions& options);
/// kUsage unless every value is one that the help text allows.
void validate(const CompareOptions& options);

}  // namespace fi
