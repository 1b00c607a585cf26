#include <map>
#include <string>
#include <string_view>

#include "fi/core/error.h"
#include "fi/core/json.h"
#include "fi/prompts/prompt_list.h"
#include "fi/prompts/prompt_set.h"

namespace fi {
namespace embedded {

extern const std::map<std::string, std::string_view> builtin_prompt_files;

}  // namespace embedded

namespace {

PromptCategory read_category(const Json& entry, const std::string& file) {
  PromptCategory category{.id = entry.at("id").get<std::string>(),
                          .title = entry.at("title").get<std::string>(),
                          .group = entry.at("group").get<std::vector<std::string>>(),
                          .prompts = {},
                          .right_answers = {}};
  read_prompt_list(entry.at("prompts"), file, category);
  return category;
}

PromptSet read_builtin_files() {
  PromptSet set;
  for (const auto& [name, text] : embedded::builtin_prompt_files) {
    const Json document = parse_json(text, "builtin prompts", name);
    for (const Json& entry : document.at("categories")) set.categories.push_back(read_category(entry, name));
  }
  invariant(!set.categories.empty(), "[builtin prompts] the program carries no prompts");
  return set;
}

}  // namespace

const PromptSet& builtin_prompts() {
  static const PromptSet set = read_builtin_files();
  return set;
}

}  // namespace fi
