#include "cli/parse_errors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "fi/core/json.h"

namespace fi {
namespace {

std::string with_nearest(const std::string& what, const std::string& name, const std::vector<std::string>& known) {
  const std::string nearest = nearest_name(name, known);
  return nearest.empty() ? fmt::format("{} '{}'", what, name) : fmt::format("{} '{}', did you mean '{}'?", what, name, nearest);
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

const CLI::App* chosen_command(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? nullptr : chosen.front();
}

std::string unexpected_words(const CLI::App& app, const CLI::App& command) {
  std::vector<std::string> known = option_names(command);
  for (const std::string& name : option_names(app)) known.push_back(name);
  std::vector<std::string> rest = app.remaining(/*recurse=*/true);
  std::stable_partition(rest.begin(), rest.end(), [](const std::string& word) { return word.starts_with("-"); });
  if (rest.empty()) return "there are words that no option takes";
  const std::string name = rest.front().substr(0, rest.front().find('='));
  return name.starts_with("-") ? with_nearest("unknown option", name, known) : fmt::format("no option takes the word '{}'", name);
}

std::string sentence(const std::string& text) { return text.ends_with("?") ? text : text + "."; }

std::string unknown_command(const CLI::App& app, const std::string& first_word) {
  std::vector<std::string> names;
  for (const CLI::App* each : app.get_subcommands([](const CLI::App*) { return true; })) names.push_back(each->get_name());
  const std::string choices = fmt::format(" The commands are {}.", fmt::join(names, ", "));
  if (first_word.empty()) return "no command was given." + choices;
  if (first_word.starts_with("-")) return sentence(with_nearest("unknown option", first_word, option_names(app))) + choices;
  return sentence(with_nearest("unknown command", first_word, names)) + choices;
}

}  // namespace

std::string explain(const CLI::ParseError& error, const CLI::App& app, const std::string& first_word) {
  const CLI::App* command = chosen_command(app);
  if (command == nullptr) return fmt::format("[options] {} See feature-interpreter --help.", unknown_command(app, first_word));
  const bool is_unknown = dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr;
  return fmt::format("[options] {} See feature-interpreter {} --help.",
                     sentence(is_unknown ? unexpected_words(app, *command) : std::string(error.what())), command->get_name());
}

}  // namespace fi
