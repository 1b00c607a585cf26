#include "fi/compare/run_identity.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>
#include <vector>

#include "fi/compare/budget.h"
#include "fi/compare/minutes_budget.h"

namespace fi {

Json run_identity(const PairFiles& files, const PromptSet& prompts, const CompareOptions& options) {
  Json identity = {{"base", weights_sha256(files.base)},
                   {"target", weights_sha256(files.target)},
                   {"base_settings", settings_sha256(files.base)},
                   {"target_settings", settings_sha256(files.target)},
                   {"quantization", wanted_quantization(options)},
                   {"prompts", fingerprint(prompts)},
                   {"max_new_tokens", budget_of(options).max_new_tokens},
                   {"seed", options.seed}};
  if (minutes_budget_from(options.budget)) identity["budget"] = options.budget;  // a resumed run goes on with what was fitted
  return identity;
}

std::string identity_difference(const Json& earlier, const Json& now) {
  static const std::vector<std::pair<const char*, const char*>> words = {{"base", "weights of the base"},
                                                                         {"target", "weights of the target"},
                                                                         {"base_settings", "config or tokenizer of the base"},
                                                                         {"target_settings", "config or tokenizer of the target"},
                                                                         {"quantization", "quantization"},
                                                                         {"prompts", "prompts"},
                                                                         {"max_new_tokens", "answer length"},
                                                                         {"seed", "seed"},
                                                                         {"budget", "budget"}};
  std::vector<std::string> differing;
  for (const auto& [key, word] : words) {
    if (now.contains(key) && earlier.value(key, now.at(key)) != now.at(key)) differing.emplace_back(word);
  }
  return fmt::format("{}", fmt::join(differing, ", "));
}

}  // namespace fi
