#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "fi/core/json.h"

namespace fi {

/// Prompts of one kind. `id` is the key that users write ("word_problems"), `title` is how a report names it ("word problems").
struct PromptCategory {
  std::string id;
  std::string title;
  std::vector<std::string> group;  // broader headings, such as {"reasoning"}; empty for users' own categories
  std::vector<std::string> prompts;
  // Per prompt, texts of which an answer that is right holds at least one. Empty where no prompt can be checked.
  std::vector<std::vector<std::string>> right_answers;

  std::vector<std::string> right_answers_of(int64_t prompt) const {
    return right_answers.empty() ? std::vector<std::string>{} : right_answers[static_cast<size_t>(prompt)];
  }
};

struct PromptSet {
  std::vector<PromptCategory> categories;

  const PromptCategory& category(std::string_view id) const;  // kUsage if absent
  int64_t num_prompts() const;
};

/// The categories that ship with the program.
const PromptSet& builtin_prompts();

/// `{"category": ["prompt", ...], ...}` as users write it; a prompt with known right answers is
/// `{"prompt": "...", "answers": ["...", ...]}`. kUsage errors name category and index; duplicates within a category are refused,
/// and so are more than 100,000 prompts. A title is the id with '_' as ' '.
PromptSet prompts_from_json(const Json& document, std::string_view where);
/// Reads such a file: kNotFound if it is missing or unreadable, kInvalid if it is not JSON.
PromptSet load_prompts(const std::filesystem::path& path);

/// SHA-256 over categories and prompts: equal hashes ask the same and expect the same.
std::string fingerprint(const PromptSet& prompts);

/// Which prompts look for differences and which, unseen until then, confirm them.
struct PromptSplit {
  std::vector<int64_t> discovery;  // indices into PromptCategory::prompts
  std::vector<int64_t> confirmation;
};

/// Splits one category by a seeded shuffle that depends on the category's id, not on its neighbours: about a quarter of the
/// prompts (at least one if there are two; a lone prompt confirms) discover, the rest confirm. `max_discovery` /
/// `max_confirmation` cap the counts: a smaller cap keeps the first indices of a larger one and moves nothing across.
PromptSplit split_prompts(const PromptCategory& category, uint64_t seed, int64_t max_discovery, int64_t max_confirmation);

}  // namespace fi
