#pragma once

#include <filesystem>
#include <string>

#include "fi/compare/options.h"
#include "fi/core/json.h"
#include "fi/core/progress.h"

namespace fi {

/// What a finished comparison leaves behind.
struct CompareResult {
  std::string verdict;  // "different" or "no difference found"
  std::string summary;  // one paragraph
  int64_t num_claims = 0;
  std::string first_claim;                // sentence; empty without claims
  std::filesystem::path report_json;      // empty when reports were skipped
  std::filesystem::path report_markdown;  // empty unless asked for
  std::filesystem::path report_html;      // empty unless asked for
};

Json to_json(const CompareResult& result);

/// The whole flow: two model names in, a report in `options.output_dir` out. Earlier finished stages are reused with
/// `options.resume` (if they were made with the same options) and with the skip options.
CompareResult run_compare(const CompareOptions& options, ProgressSink& progress);

/// The stages by themselves. Each takes what the one before it returned, and a folder to write to.
/// Runs both models: answers, teacher-forced capture, layer patching. Returns a manifest with "folder" and counts.
Json extract_activations(const CompareOptions& options, const std::filesystem::path& folder, ProgressSink& progress);

struct NameOptions {
  double threshold = 0.3;  // smallest Cliff's delta reported
  int64_t seed = 0;
  Json crosscoder = nullptr;  // crosscoder analysis (fi/compare/crosscoder_file.h), or null
};

/// Needs no model: statistics, claims and named features. `activation_data` is what `extract_activations` returned (its "folder"
/// is read). Returns the report document and writes it to folder/features.json.
Json name_features(const Json& activation_data, const std::filesystem::path& folder, const NameOptions& options,
                   ProgressSink& progress);

/// Draws every figure of a report document. Returns {"figures": [paths]}.
Json create_visualizations(const Json& feature_data, const std::filesystem::path& folder, ProgressSink& progress);

/// Writes report.json and, by `format`, report.md and report.html. Returns their paths.
Json generate_report(const Json& feature_data, const Json& crosscoder_data, const std::filesystem::path& folder,
                     const std::string& format, ProgressSink& progress);

/// How two models are related, from their files, without building or running them: {"base", "target", "relation", "evidence",
/// "weights": [{"layer", "matrix", "relative_change", "cosine"}]}; no weights where they are equal or the shapes differ.
Json doctor(const CompareOptions& options, ProgressSink& progress);

}  // namespace fi
