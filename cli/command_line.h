#pragma once

namespace fi {

/// The whole command line tool: parses, runs one subcommand, prints. Returns the exit code (fi/core/error.h) and never throws.
/// Results go to standard output; progress, warnings and errors to standard error.
int run_command_line(int argc, const char* const* argv);

}  // namespace fi
