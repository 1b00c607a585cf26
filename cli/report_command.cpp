#include <fmt/format.h>

#include <memory>

#include "cli/command.h"
#include "fi/compare/compare.h"
#include "fi/compare/run_files.h"
#include "fi/core/error.h"
#include "fi/io/atomic_file.h"

namespace fi {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  feature-interpreter report feature_interpretation\n"
    "  feature-interpreter report feature_interpretation --report-format markdown";

struct ReportRequest {
  std::string run;
  std::string format = "both";
};

void report_again(const ReportRequest& request, const Globals& globals, ProgressSink& progress) {
  const RunFolders folders = RunFolders::in(request.run);
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

}  // namespace

Command add_report(CLI::App& parent) {
  auto request = std::make_shared<ReportRequest>();
  CLI::App* app = parent.add_subcommand("report", "Draw figures and report again from the folder of an earlier run");
  app->add_option("run", request->run, "Folder of an earlier run")->required();
  app->add_option("--report-format", request->format, "markdown, html or both")->capture_default_str();
  app->footer(kExamples);
  return {app, [request](const Globals& globals, ProgressSink& progress) { report_again(*request, globals, progress); }};
}

}  // namespace fi
