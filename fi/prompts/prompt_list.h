#pragma once

#include <string_view>

#include "fi/core/json.h"
#include "fi/prompts/prompt_set.h"

namespace fi {

bool is_blank(std::string_view text);

/// Reads a list of prompts, each a text or `{"prompt": "...", "answers": ["...", ...]}`, into `category`. kUsage errors name
/// `where`, the category's id and the index.
void read_prompt_list(const Json& list, std::string_view where, PromptCategory& category);

}  // namespace fi
