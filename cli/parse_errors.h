#pragma once

#include <CLI/CLI.hpp>

#include <string>

namespace fi {

/// What was wrong with a command line, in a sentence, with the nearest known option or command. `first_word` is what followed the
/// program's name.
std::string explain(const CLI::ParseError& error, const CLI::App& app, const std::string& first_word);

}  // namespace fi
