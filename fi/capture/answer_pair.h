#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fi/core/json.h"

namespace fi {

enum class Split { kDiscovery, kConfirmation };

/// What both models answered to one prompt. A row of `activations/answers.jsonl`.
struct AnswerPair {
  std::string category;      // PromptCategory::id
  int64_t prompt_index = 0;  // into PromptCategory::prompts
  Split split = Split::kDiscovery;
  std::string prompt;
  std::string base;  // the base model's answer
  std::string target;
  bool base_finished = true;  // false: cut at the token limit
  bool target_finished = true;
  int64_t base_tokens = 0;
  int64_t target_tokens = 0;
  std::vector<std::string> right_answers;  // texts of which a right answer holds one; empty where none is known
};

Json to_json(const AnswerPair& pair);
AnswerPair answer_pair_from_json(const Json& row, std::string_view where);

const char* split_name(Split split);  // "discovery" or "confirmation"

}  // namespace fi
