#include "cli/plan_text.h"

#include <fmt/format.h>

#include "cli/units.h"

namespace fi {

std::string plan_text(const Json& plan) {
  const Json& estimate = plan.at("estimate");
  std::string text =
      fmt::format("base    {}\ntarget  {}\n", plan.at("base").get<std::string>(), plan.at("target").get<std::string>());
  text +=
      fmt::format("prompts {} in {} categories, then at most {} to confirm\n", plan.at("num_discovery_prompts").get<int64_t>(),
                  plan.at("num_categories").get<int64_t>(), plan.at("max_confirmation_prompts").get<int64_t>());
  text += fmt::format("tokens  at most {} read and written\n", plan.at("max_tokens").get<int64_t>());
  text += fmt::format("budget  {}\n", plan.at("budget").get<std::string>());
  text += fmt::format("time    about {} on {}\n", duration_text(estimate.at("seconds").get<double>()),
                      plan.at("device").get<std::string>());
  const Json& held = estimate.at("held_as");
  text += fmt::format("weights held in {} (base) and {} (target)\n", held.at("base").get<std::string>(),
                      held.at("target").get<std::string>());
  text += fmt::format("memory  about {}\n", size_text(estimate.at("memory_bytes").get<double>()));
  if (const double streamed = estimate.at("streamed_bytes").get<double>(); streamed > 0.0)
    text += fmt::format("reads   up to {} from disk each time a model is run through, as far as memory cannot keep its file\n",
                        size_text(streamed));
  text += fmt::format("disk    about {} in {}\n", size_text(estimate.at("disk_bytes").get<double>()),
                      plan.at("output_dir").get<std::string>());
  return text + fmt::format("how     {}\n", estimate.at("how").get<std::string>());
}

}  // namespace fi
