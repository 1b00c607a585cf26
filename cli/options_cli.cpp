#include "cli/options_cli.h"

#include <algorithm>
#include <type_traits>

namespace fi {

void add_options(CLI::App& app, CompareOptions& options, const std::vector<std::string>& names) {
  visit_options(options, [&](std::string name, const char* help, auto& value) {
    if (!names.empty() && std::find(names.begin(), names.end(), name) == names.end()) return;
    std::replace(name.begin(), name.end(), '_', '-');
    if constexpr (std::is_same_v<std::decay_t<decltype(value)>, bool>) {
      app.add_flag("--" + name, value, help);
    } else {
      app.add_option("--" + name, value, help)->capture_default_str();
    }
  });
}

void add_model_words(CLI::App& app, CompareOptions& options) {
  app.add_option("base", options.base_model, "Base model, as --base-model");
  app.add_option("target", options.target_model, "Target model, as --target-model");
}

const std::vector<std::string>& model_options() {
  static const std::vector<std::string> names = {"base_model",   "target_model", "target_adapter", "device",
                                                 "quantization", "cache_dir",    "revision_base",  "revision_target",
                                                 "offload",      "offline",      "strict",         "allow_unused"};
  return names;
}

}  // namespace fi
