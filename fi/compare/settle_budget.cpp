#include "fi/compare/settle_budget.h"

#include <fmt/format.h>

#include <optional>

#include "fi/compare/minutes_budget.h"
#include "fi/compare/plan.h"
#include "fi/compare/run_files.h"
#include "fi/core/json.h"
#include "fi/io/atomic_file.h"

namespace fi {
namespace {

namespace fs = std::filesystem;

// Of the run that was stopped in this folder, or else of the one that finished.
std::optional<MinutesBudget> earlier_budget(const fs::path& activations) {
  for (const fs::path& path : {activations / kInProgressFolder / kIdentityFile, activations / kIdentityFile}) {
    if (!fs::is_regular_file(path)) continue;
    const Json identity = parse_json(read_file(path, "budget"), "budget", path.string());
    const auto text = identity.find("budget");
    return text == identity.end() || !text->is_string() ? std::nullopt : minutes_budget_from(text->get<std::string>());
  }
  return std::nullopt;
}

}  // namespace

CompareOptions settle_budget(CompareOptions options, const fs::path& activations, ProgressSink& progress) {
  const auto asked = minutes_budget_from(options.budget);
  if (!asked || asked->level || !options.outputs.empty()) return options;
  if (options.resume || options.skip_activations) {
    const auto earlier = earlier_budget(activations);
    if (earlier && earlier->level && earlier->minutes == asked->minutes) {
      options.budget = to_text(*earlier);
      return options;
    }
  }
  options = with_fitted_budget(options);
  const Budget budget = budget_of(options);
  progress.note(fmt::format(
      "budget {}: {} discovery prompts a category, at most {} to confirm, answers of {} tokens, {} claims located",
      options.budget, budget.discovery, budget.max_confirmation_prompts, budget.max_new_tokens, budget.max_localised_claims));
  return options;
}

}  // namespace fi
