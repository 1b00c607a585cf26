#include "fi/prompts/prompt_set.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "fi/core/error.h"
#include "fi/core/hash.h"
#include "fi/prompts/prompt_list.h"

namespace fi {
namespace {

constexpr int64_t kMaxPrompts = 100'000;
constexpr const char* kShape = R"({"category": ["prompt", ...], ...})";

std::string title_of(std::string id) {
  std::ranges::replace(id, '_', ' ');
  return id;
}

PromptCategory read_category(const std::string& id, const Json& value, std::string_view where) {
  check(!is_blank(id), ErrorCode::kUsage, "[read prompts] a category in {} has an empty name; give it one.", where);
  check(value.is_array(), ErrorCode::kUsage, "[read prompts] category '{}' in {}, got {}, expected a list of strings as in {}.",
        id, where, value.type_name(), kShape);
  check(!value.empty(), ErrorCode::kUsage, "[read prompts] category '{}' in {} has no prompts; add some or remove it.", id,
        where);

  PromptCategory category{.id = id, .title = title_of(id), .group = {}, .prompts = {}, .right_answers = {}};
  read_prompt_list(value, where, category);
  return category;
}

std::string read_text(const std::filesystem::path& path) {
  std::error_code ignored;
  check(std::filesystem::exists(path, ignored), ErrorCode::kNotFound, "[read prompts] no file {}; check the path.",
        path.string());
  check(!std::filesystem::is_directory(path, ignored), ErrorCode::kUsage,
        "[read prompts] {}, got a folder, expected a JSON file of the shape {}.", path.string(), kShape);
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  check(!file.fail(), ErrorCode::kNotFound, "[read prompts] cannot read {}; check its permissions.", path.string());
  return text;
}

}  // namespace

const PromptCategory& PromptSet::category(std::string_view id) const {
  const auto found = std::ranges::find(categories, id, &PromptCategory::id);
  if (found != categories.end()) return *found;
  std::vector<std::string> known;
  for (const PromptCategory& each : categories) known.push_back(each.id);
  const std::string near = nearest_name(id, known);
  fail(ErrorCode::kUsage, "[prompts] unknown category '{}'{}; choose one of: {}.", id,
       near.empty() ? "" : fmt::format(", did you mean '{}'", near), fmt::join(known, ", "));
}

int64_t PromptSet::num_prompts() const {
  int64_t count = 0;
  for (const PromptCategory& category : categories) count += std::ssize(category.prompts);
  return count;
}

PromptSet prompts_from_json(const Json& document, std::string_view where) {
  check(document.is_object(), ErrorCode::kUsage, "[read prompts] {}, got {}, expected an object of the shape {}.", where,
        document.type_name(), kShape);
  check(!document.empty(), ErrorCode::kUsage, "[read prompts] {} has no categories; add some, as in {}.", where, kShape);
  PromptSet set;
  size_t total = 0;
  for (const auto& [id, value] : document.items()) {
    if (value.is_array()) total += value.size();
    check(total <= kMaxPrompts, ErrorCode::kUsage, "[read prompts] {}, got more than {} prompts by category '{}'; remove some.",
          where, kMaxPrompts, id);
    set.categories.push_back(read_category(id, value, where));
  }
  return set;
}

std::string fingerprint(const PromptSet& prompts) {
  Json categories = Json::object();
  for (const PromptCategory& category : prompts.categories) {
    categories[category.id] = category.prompts;
    if (!category.right_answers.empty()) categories[category.id].push_back(category.right_answers);
  }
  return sha256_of_bytes(categories.dump());
}

PromptSet load_prompts(const std::filesystem::path& path) {
  return prompts_from_json(parse_json(read_text(path), "read prompts", path.string()), path.string());
}

}  // namespace fi
