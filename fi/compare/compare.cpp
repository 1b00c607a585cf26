#include "fi/compare/compare.h"

#include <optional>

#include "fi/compare/baseline_stage.h"
#include "fi/compare/corpus_texts.h"
#include "fi/compare/crosscoder_file.h"
#include "fi/compare/dictionary_stage.h"
#include "fi/compare/models.h"
#include "fi/compare/provenance.h"
#include "fi/compare/run_files.h"
#include "fi/compare/run_identity.h"
#include "fi/compare/settle_budget.h"
#include "fi/compare/staging.h"
#include "fi/core/error.h"
#include "fi/io/atomic_file.h"
#include "fi/prompts/prompt_set.h"
#include "fi/report/figures/figure.h"
#include "fi/report/write_report.h"

namespace fi {
namespace {

Json read_stage(const std::filesystem::path& path, const char* stage, const char* option) {
  check(std::filesystem::is_regular_file(path), ErrorCode::kNotFound,
        "[compare] --{} needs the {} of an earlier run, but {} is missing; run without it.", option, stage, path.string());
  return parse_json(read_file(path, "compare"), "compare", path.string());
}

Json crosscoder_analysis(const CompareOptions& options) {
  if (options.crosscoder_file.empty()) return nullptr;
  return read_crosscoder_file(options.crosscoder_file);
}

// Models that are not at hand cannot have changed the results: these are then taken as they are.
std::optional<PairFiles> files_at_hand(CompareOptions options) {
  options.offline = true;
  try {
    return resolve_pair(options);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kNotFound) throw;
    return std::nullopt;
  }
}

// Results that do not belong to what is about to be made must not be taken for it.
bool is_reusable(const std::filesystem::path& manifest_path, const CompareOptions& options, ProgressSink& progress) {
  if (!std::filesystem::is_regular_file(manifest_path)) return false;
  const Json manifest = parse_json(read_file(manifest_path, "compare"), "compare", manifest_path.string());
  if (manifest.value("format", 1) != kActivationsFormat) return false;
  CompareOptions earlier = without_reuse(options_from_json(manifest.value("options", Json::object())));
  earlier.report_format = options.report_format;
  earlier.crosscoder_file = options.crosscoder_file;
  earlier.num_latents = options.num_latents;  // a dictionary stage of its own
  earlier.k = options.k;
  earlier.seeds = options.seeds;
  const std::filesystem::path identity_path = manifest_path.parent_path() / kIdentityFile;
  if (!std::filesystem::is_regular_file(identity_path)) return false;
  const Json identity = parse_json(read_file(identity_path, "compare"), "compare", identity_path.string());
  const PromptSet prompts = options.prompts.empty() ? builtin_prompts() : load_prompts(options.prompts);
  if (!is_same_corpus(options, manifest)) return false;
  if (earlier != without_reuse(options) || identity.value("prompts", "") != fingerprint(prompts)) return false;
  const std::optional<PairFiles> files = files_at_hand(options);
  if (!files) {
    progress.note("[resume] the models are not at hand; the finished run's results are taken as they are");
    return true;
  }
  return identity_difference(identity, run_identity(*files, prompts, options)).empty();
}

Json activations_stage(const CompareOptions& options, const RunFolders& folders, ProgressSink& progress) {
  finish_publishing(folders.activations);
  const std::filesystem::path manifest_path = folders.activations / kManifestFile;
  const bool reuse = options.skip_activations || (options.resume && is_reusable(manifest_path, options, progress));
  if (!reuse) return extract_activations(options, folders.activations, progress);
  Json manifest = read_stage(manifest_path, "activations", "skip-activations");
  manifest["folder"] = folders.activations.string();
  return manifest;
}

Json naming_stage(const CompareOptions& options, const RunFolders& folders, ProgressSink& progress) {
  if (options.skip_naming) return read_stage(folders.features / kFeaturesFile, "features", "skip-naming");
  const Json activations = activations_stage(options, folders, progress);
  const bool reuse = options.skip_activations || options.resume;
  train_dictionaries(options, folders.activations, folders.features, reuse, progress);
  race_baselines(options, folders.activations, folders.features, reuse, progress);
  return name_features(activations, folders.features,
                       {.threshold = options.feature_threshold, .seed = options.seed, .crosscoder = crosscoder_analysis(options)},
                       progress);
}

}  // namespace

Json to_json(const CompareResult& result) {
  return {{"verdict", result.verdict},
          {"summary", result.summary},
          {"num_claims", result.num_claims},
          {"first_claim", result.first_claim},
          {"report_json", result.report_json.string()},
          {"report_markdown", result.report_markdown.string()},
          {"report_html", result.report_html.string()}};
}

CompareResult run_compare(const CompareOptions& given, ProgressSink& progress) {
  validate(given);
  if (!given.crosscoder_file.empty()) read_crosscoder_file(given.crosscoder_file);  // refused before the models run
  const RunFolders folders = RunFolders::in(given.output_dir);
  make_folder(given.output_dir);
  const CompareOptions options = given.skip_naming ? given : settle_budget(given, folders.activations, progress);
  const Json document = naming_stage(options, folders, progress);
  const Report report = report_from_json(document, kFeaturesFile);
  if (!options.skip_visualization) write_figures(report, folders.visualizations, progress);
  CompareResult result{
      .verdict = report.verdict, .summary = report.summary, .num_claims = static_cast<int64_t>(report.claims.size())};
  if (!report.claims.empty()) result.first_claim = report.claims.front().sentence;
  if (options.skip_report) return result;
  const ReportFiles files = write_report(report, folders.reports, options.report_format);
  result.report_json = files.json;
  result.report_markdown = files.markdown;
  result.report_html = files.html;
  return result;
}

Json create_visualizations(const Json& feature_data, const std::filesystem::path& folder, ProgressSink& progress) {
  Json paths = Json::array();
  for (const auto& path : write_figures(report_from_json(feature_data, "feature data"), folder, progress))
    paths.push_back(path.string());
  return {{"figures", paths}};
}

Json generate_report(const Json& feature_data, const Json& crosscoder_data, const std::filesystem::path& folder,
                     const std::string& format, ProgressSink&) {
  Report report = report_from_json(feature_data, "feature data");
  if (!crosscoder_data.is_null()) report.weights = weight_rows_from_json(crosscoder_data, "crosscoder data");
  const ReportFiles files = write_report(report, folder, format);
  return {{"json", files.json.string()}, {"markdown", files.markdown.string()}, {"html", files.html.string()}};
}

Json doctor(const CompareOptions& options, ProgressSink& progress) {
  const PairFiles files = resolve_pair(options, progress);
  const Tokenizer base = Tokenizer::load(files.base), target = Tokenizer::load(files.target);
  const Provenance provenance = examine(files.base, base, files.target, target, progress);
  return {{"base", files.base.name},
          {"target", files.target.name},
          {"relation", provenance.relation},
          {"evidence", provenance.relation_note},
          {"weights", to_json(weight_changes(provenance))}};
}

}  // namespace fi
