#include "cli/options_cli.h"

#include <algorithm>
#include <string>
#include <type_traits>

namespace fi {

void add_options(CLI::App& app, CompareOptions& options) {
  visit_options(options, [&](std::string name, const char* help, auto& value) {
    std::replace(name.begin(), name.end(), '_', '-');
    if constexpr (std::is_same_v<std::decay_t<decltype(value)>, bool>) {
      app.add_flag("--" + name, value, help);
    } else {
      app.add_option("--" + name, value, help)->capture_default_str();
    }
  });
}

}  // namespace fi
