#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <new>

#include "cli/options_cli.h"
#include "cli/terminal_progress.h"
#include "fi/compare/compare.h"
#include "fi/core/error.h"
#include "fi/io/atomic_file.h"
#include "fi/report/run_comparison.h"

namespace fi {
namespace {

struct Globals {
  bool json = false;
  bool quiet = false;
  bool dry_run = false;
};

// The first signal asks for a stop between two batches; the second ends the process.
extern "C" void on_signal(int signal) {
  static volatile std::sig_atomic_t count = 0;
  count = count + 1;
  if (count > 1) _exit(128 + signal);
  request_interrupt();
}

CompareOptions demo_options(const CompareOptions& given) {
  const std::filesystem::path root = FI_SOURCE_DIR;
  const char* model = std::getenv("FI_SMOLLM2");
  CompareOptions options = given;
  options.base_model = model != nullptr ? model : (root / ".cache/models/SmolLM2-135M-Instruct.Q4_1.gguf").string();
  options.target_model = (root / "demo/stepwise").string();
  check(std::filesystem::exists(options.base_model), ErrorCode::kNotFound,
        "[demo] {} is missing; run `make demo`, which fetches it.", options.base_model);
  return options;
}

void print_result(const CompareResult& result, const Globals& globals) {
  if (globals.json) {
    fmt::print("{}\n", to_json(result).dump());
    return;
  }
  fmt::print("{}\n", result.summary);
  for (const auto& path : {result.report_html, result.report_markdown, result.report_json}) {
    if (!path.empty()) fmt::print("{}\n", path.string());
  }
}

void run_comparison(const CompareOptions& options, const Globals& globals, ProgressSink& progress) {
  if (globals.dry_run) {
    fmt::print("{}", to_pretty_json(plan_compare(options)));
    return;
  }
  print_result(run_compare(options, progress), globals);
}

void report_again(const std::string& folder, const CompareOptions& options, ProgressSink& progress) {
  const std::filesystem::path run = folder;
  const std::string path = (run / "features" / "features.json").string();
  const Json document = parse_json(read_file(path, "report"), "report", path);
  create_visualizations(document, run / "visualizations", progress);
  fmt::print("{}", to_pretty_json(generate_report(document, nullptr, run / "reports", options.report_format, progress)));
}

void compare_reports(const std::vector<std::filesystem::path>& runs, const std::filesystem::path& folder) {
  for (const auto& path : write_comparison(read_runs(runs), folder)) fmt::print("{}\n", path.string());
}

int run(int argc, char** argv) {
  CLI::App app{"Says which features and capabilities differ between two language models, in which layers, and how sure that is."};
  app.require_subcommand(1);
  app.set_version_flag("--version", FI_VERSION);
  Globals globals;
  app.add_flag("--json", globals.json, "Print the result as JSON on standard output");
  app.add_flag("-q,--quiet", globals.quiet, "No progress");
  CompareOptions options;
  std::vector<std::filesystem::path> run_folders;
  std::string comparison_dir = "comparison";

  CLI::App* compare = app.add_subcommand("compare", "Compare two models and write a report");
  compare->fallthrough();
  add_options(*compare, options);
  compare->add_option("base", options.base_model, "Base model");
  compare->add_option("target", options.target_model, "Target model");
  compare->add_flag("--dry-run", globals.dry_run, "Print the plan and stop");
  CLI::App* capture = app.add_subcommand("capture", "Only run both models and store what they do");
  capture->fallthrough();
  add_options(*capture, options);
  CLI::App* report = app.add_subcommand("report", "Draw figures and report again from a run folder, or lay several side by side");
  report->fallthrough();
  report->add_option("run", run_folders, "Folder of an earlier run; several of one base make a table")->required();
  report->add_option("--comparison-dir", comparison_dir, "Where the table of several runs goes");
  report->add_option("--report-format", options.report_format, "markdown, html or both");
  CLI::App* doctor_command = app.add_subcommand("doctor", "How two models are related, without running them");
  doctor_command->fallthrough();
  add_options(*doctor_command, options);
  CLI::App* demo = app.add_subcommand("demo", "SmolLM2 against itself with an adapter that reasons step by step");
  demo->fallthrough();
  add_options(*demo, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(ErrorCode::kUsage);
  }

  const bool is_terminal = isatty(STDERR_FILENO) == 1 && std::getenv("HF_HUB_DISABLE_PROGRESS_BARS") == nullptr;
  TerminalProgress progress({.quiet = globals.quiet, .is_terminal = is_terminal});
  if (compare->parsed()) run_comparison(options, globals, progress);
  if (demo->parsed()) run_comparison(demo_options(options), globals, progress);
  if (capture->parsed()) {
    fmt::print("{}",
               to_pretty_json(extract_activations(options, std::filesystem::path(options.output_dir) / "activations", progress)));
  }
  if (report->parsed() && run_folders.size() == 1) report_again(run_folders.front().string(), options, progress);
  if (report->parsed() && run_folders.size() > 1) compare_reports(run_folders, comparison_dir);
  if (doctor_command->parsed()) fmt::print("{}", to_pretty_json(doctor(options, progress)));
  return 0;
}

int report_error(const std::exception& error, ErrorCode code) {
  fmt::print(stderr, "error: {}\n", error.what());
  return static_cast<int>(code);
}

}  // namespace
}  // namespace fi

int main(int argc, char** argv) {
  std::signal(SIGINT, fi::on_signal);
  std::signal(SIGTERM, fi::on_signal);
  try {
    return fi::run(argc, argv);
  } catch (const fi::Error& error) {
    return fi::report_error(error, error.code());
  } catch (const std::bad_alloc& error) {
    return fi::report_error(error, fi::ErrorCode::kMemory);
  } catch (const std::exception& error) {
    return fi::report_error(error, fi::ErrorCode::kInternal);
  }
}
