#include <fmt/format.h>

#include <memory>

#include "cli/command.h"
#include "fi/compare/compare.h"
#include "fi/compare/run_files.h"
#include "fi/core/error.h"
#include "fi/io/atomic_file.h"
#include "fi/report/run_comparison.h"

namespace fi {
namespace {

constexpr const char* kReportExamples =
    "Examples:\n"
    "  feature-interpreter report feature_interpretation\n"
    "  feature-interpreter report feature_interpretation --report-format markdown\n"
    "  feature-interpreter report run_of_adapter_a run_of_adapter_b --comparison-dir side_by_side";

struct ReportRequest {
  std::vector<std::string> runs;
  std::string comparison_dir = "comparison";
  std::string format = "both";
};

void report_again(const ReportRequest& request, const Globals& globals, ProgressSink& progress) {
  const RunFolders folders = RunFolders::in(request.runs.front());
  const std::filesystem::path path = folders.features / kFeaturesFile;
  check(std::filesystem::is_regular_file(path), ErrorCode::kNotFound,
        "[report] {} is missing; give the folder of a finished run, or run `compare` first.", path.string());
  const Json document = parse_json(read_file(path, "report"), "report", path.string());
  create_visualizations(document, folders.visualizations, progress);
  const Json paths = generate_report(document, nullptr, folders.reports, request.format, progress);
  if (globals.json) {
    fmt::print("{}\n", paths.dump());
    return;
  }
  for (const auto& [kind, value] : paths.items()) {
    if (!value.get<std::string>().empty()) fmt::print("{}\n", value.get<std::string>());
  }
}

// Several targets of one base side by side.
void compare_reports(const ReportRequest& request, const Globals& globals) {
  const std::vector<std::filesystem::path> runs(request.runs.begin(), request.runs.end());
  Json paths = Json::array();
  for (const auto& path : write_comparison(read_runs(runs), request.comparison_dir)) paths.push_back(path.string());
  if (globals.json) fmt::print("{}\n", paths.dump());
  for (size_t i = 0; i < paths.size() && !globals.json; ++i) fmt::print("{}\n", paths[i].get<std::string>());
}

}  // namespace

Command add_report(CLI::App& parent) {
  auto request = std::make_shared<ReportRequest>();
  CLI::App* app =
      parent.add_subcommand("report", "Draw figures and report again from a run's folder, or lay several runs side by side");
  app->add_option("run", request->runs, "Folder of an earlier run; several of one base make a table")->required();
  app->add_option("--comparison-dir", request->comparison_dir, "Where the table of several runs goes")->capture_default_str();
  app->add_option("--report-format", request->format, "markdown, html or both")->capture_default_str();
  app->footer(kReportExamples);
  return {app, [request](const Globals& globals, ProgressSink& progress) {
            if (request->runs.size() > 1) return compare_reports(*request, globals);
            report_again(*request, globals, progress);
          }};
}

}  // namespace fi
