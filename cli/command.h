#pragma once

#include <CLI/CLI.hpp>

#include <functional>

#include "fi/core/progress.h"

namespace fi {

/// Options that stand before or after any subcommand.
struct Globals {
  bool json = false;
  bool quiet = false;
  bool offline = false;
};

/// One subcommand: what it parses, and what it does then. Each lives in a file of its own, <name>_command.cpp.
struct Command {
  CLI::App* app = nullptr;
  std::function<void(const Globals&, ProgressSink&)> run;
};

Command add_compare(CLI::App& parent);
Command add_capture(CLI::App& parent);
Command add_train(CLI::App& parent);
Command add_features(CLI::App& parent);
Command add_export(CLI::App& parent);
Command add_import(CLI::App& parent);
Command add_report(CLI::App& parent);
Command add_generate(CLI::App& parent);
Command add_doctor(CLI::App& parent);
Command add_demo(CLI::App& parent);
Command add_steer(CLI::App& parent);
Command add_calibrate(CLI::App& parent);
Command add_selftest(CLI::App& parent);

}  // namespace fi
