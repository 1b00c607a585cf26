#include "fi/prompts/prompt_list.h"

#include <unordered_map>

#include "fi/core/error.h"

namespace fi {
namespace {

/// Where an entry stands, for errors.
struct Place {
  size_t index;
  const std::string& category;
  std::string_view where;

  std::string text() const { return fmt::format("prompt {} of category '{}' in {}", index, category, where); }
};

std::string read_text(const Json& value, const Place& place) {
  check(value.is_string(), ErrorCode::kUsage, "[read prompts] {}, got {}, expected a string.", place.text(), value.type_name());
  auto text = value.get<std::string>();
  check(!is_blank(text), ErrorCode::kUsage, "[read prompts] {} is empty; remove it or fill it in.", place.text());
  return text;
}

const Json& prompt_of(const Json& entry, const Place& place) {
  if (!entry.is_object()) return entry;
  for (const auto& [key, value] : entry.items()) {
    check(key == "prompt" || key == "answers", ErrorCode::kUsage,
          "[read prompts] {}, got key '{}', expected \"prompt\" and \"answers\".", place.text(), key);
  }
  check(entry.contains("prompt"), ErrorCode::kUsage, "[read prompts] {}, got no key \"prompt\"; add it.", place.text());
  return entry.at("prompt");
}

std::vector<std::string> right_answers_of(const Json& entry, const Place& place) {
  if (!entry.is_object()) return {};
  const Json answers = entry.value("answers", Json::array());
  check(answers.is_array() && !answers.empty(), ErrorCode::kUsage,
        "[read prompts] {}, got no \"answers\", expected a list of texts of which a right answer holds one.", place.text());
  std::vector<std::string> texts;
  for (const Json& answer : answers) texts.push_back(read_text(answer, place));
  return texts;
}

}  // namespace

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n\v\f") == std::string_view::npos; }

void read_prompt_list(const Json& list, std::string_view where, PromptCategory& category) {
  std::unordered_map<std::string, size_t> index_of;
  bool can_be_checked = false;
  for (const Json& entry : list) {
    const Place place{category.prompts.size(), category.id, where};
    auto prompt = read_text(prompt_of(entry, place), place);
    const auto [first, is_new] = index_of.emplace(prompt, place.index);
    check(is_new, ErrorCode::kUsage, "[read prompts] prompts {} and {} of category '{}' in {} are the same; remove one.",
          first->second, place.index, category.id, where);
    category.prompts.push_back(std::move(prompt));
    category.right_answers.push_back(right_answers_of(entry, place));
    can_be_checked |= entry.is_object();
  }
  if (!can_be_checked) category.right_answers.clear();
}

}  // namespace fi
