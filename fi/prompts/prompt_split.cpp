#include <algorithm>
#include <numeric>

#include "fi/core/error.h"
#include "fi/core/random.h"
#include "fi/prompts/prompt_set.h"

namespace fi {
namespace {

int64_t num_discovery(int64_t num_prompts) {
  const int64_t quarter = (num_prompts + 2) / 4;
  return num_prompts >= 2 ? std::max<int64_t>(quarter, 1) : 0;
}

}  // namespace

PromptSplit split_prompts(const PromptCategory& category, uint64_t seed, int64_t max_discovery, int64_t max_confirmation) {
  check(max_discovery >= 0 && max_confirmation >= 0, ErrorCode::kUsage,
        "[split prompts] caps for category '{}', got {} and {}, expected numbers of prompts of at least 0.", category.id,
        max_discovery, max_confirmation);
  std::vector<int64_t> order(category.prompts.size());
  std::iota(order.begin(), order.end(), int64_t{0});
  Random random(seed, stream_of(category.id.c_str()));
  random.shuffle(order);

  // The caps cut each part from its end: another cap never moves a prompt from one part to the other.
  const auto middle = order.begin() + num_discovery(std::ssize(order));
  const auto discovery_end = middle - std::max<int64_t>(0, (middle - order.begin()) - max_discovery);
  const auto confirmation_end = order.end() - std::max<int64_t>(0, (order.end() - middle) - max_confirmation);
  return {.discovery = {order.begin(), discovery_end}, .confirmation = {middle, confirmation_end}};
}

}  // namespace fi
