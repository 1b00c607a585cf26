#include "cli/command_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <new>

#include "cli/command.h"
#include "cli/parse_errors.h"
#include "cli/terminal_progress.h"
#include "fi/core/error.h"
#include "fi/core/json.h"

namespace fi {
namespace {

constexpr const char* kPurpose =
    "Says which features and capabilities differ between two language models, in which layers, and how sure that is.";
constexpr const char* kGlobalExamples =
    "Examples:\n"
    "  feature-interpreter demo\n"
    "  feature-interpreter compare BASE TARGET --output-dir feature_interpretation\n"
    "  feature-interpreter generate MODEL --prompt \"What is 3 + 4?\"\n"
    "Each command has more: feature-interpreter compare --help";

// The first signal asks for a stop at the next safe point; the second ends the process.
volatile std::sig_atomic_t first_signal = 0;
extern "C" void on_signal(int signal) {
  if (first_signal != 0) _exit(128 + signal);
  first_signal = signal;
  request_interrupt();
}

void handle_signals() {
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  std::signal(SIGXFSZ, SIG_IGN);  // a file that grows past a limit is a write error like a full disk, not the end
}

int report_error(const std::string& message, ErrorCode code, const Globals& globals) {
  const int exit_code = code == ErrorCode::kInterrupted && first_signal != 0 ? 128 + first_signal : static_cast<int>(code);
  if (globals.json) {
    const Json error = {{"code", error_code_name(code)}, {"exit_code", exit_code}, {"message", message}};
    fmt::print("{}\n", Json{{"error", error}}.dump(-1, ' ', false, Json::error_handler_t::replace));
  }
  fmt::print(stderr, "error: {}\n", message);
  return exit_code;
}

int run(int argc, const char* const* argv, Globals& globals) {
  CLI::App app{kPurpose, "feature-interpreter"};
  app.require_subcommand(1);
  app.footer(kGlobalExamples);
  app.set_version_flag("--version", std::string("feature-interpreter ") + FI_VERSION);
  app.add_flag("--json", globals.json, "Print the result as JSON on standard output");
  app.add_flag("-q,--quiet", globals.quiet, "No progress");
  app.add_flag("--offline", globals.offline, "Never use the network (as HF_HUB_OFFLINE=1)");
  const std::vector<Command> commands = {add_compare(app), add_capture(app), add_train(app),  add_features(app),
                                         add_import(app),  add_export(app),  add_report(app), add_generate(app),
                                         add_doctor(app),  add_demo(app),    add_steer(app),  add_calibrate(app),
                                         add_selftest(app)};
  for (const Command& command : commands) command.app->fallthrough();
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    fail(ErrorCode::kUsage, "{}", explain(error, app, argc > 1 ? argv[1] : ""));
  }
  if (globals.offline) ::setenv("HF_HUB_OFFLINE", "1", 1);
  const bool is_terminal = isatty(STDERR_FILENO) == 1 && std::getenv("HF_HUB_DISABLE_PROGRESS_BARS") == nullptr;
  TerminalProgress progress({.quiet = globals.quiet, .is_terminal = is_terminal});
  for (const Command& command : commands) {
    if (command.app->parsed()) command.run(globals, progress);
  }
  return 0;
}

}  // namespace

int run_command_line(int argc, const char* const* argv) {
  handle_signals();
  Globals globals;
  int code = 0;
  try {
    code = run(argc, argv, globals);
  } catch (const Error& error) {
    code = report_error(error.what(), error.code(), globals);
  } catch (const std::bad_alloc&) {
    code = report_error("[memory] not enough memory; use a smaller model or --quantization stored.", ErrorCode::kMemory, globals);
  } catch (const std::exception& error) {
    code = report_error(error.what(), ErrorCode::kInternal, globals);
  }
  std::fflush(stdout);
  return code;
}

}  // namespace fi
