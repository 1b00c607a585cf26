#include "fi/claims/wording.h"

#include <fmt/format.h>

#include <cmath>

namespace fi {
namespace {

constexpr size_t kListedTitles = 4;

std::string range_text(int64_t first, int64_t last) {
  return first == last ? fmt::format("{}", first) : fmt::format("{}-{}", first, last);
}

std::string join_with_and(const std::vector<std::string>& items) {
  std::string text;
  for (size_t i = 0; i < items.size(); ++i) {
    if (i > 0) text += i + 1 == items.size() ? " and " : ", ";
    text += items[i];
  }
  return text;
}

std::string capitalised(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

// "Layers 16-20 show" or, where nothing was localised, "The target shows".
std::string subject(const ClaimWords& words, const char* plural, const char* singular) {
  const std::string layers = capitalised(layers_text(words.layers));
  if (layers.empty()) return fmt::format("The target {}", singular);
  return fmt::format("{} {}", layers, words.layers.size() == 1 ? singular : plural);
}

std::string in_target(const ClaimWords& words) { return words.layers.empty() ? "" : " in the target model"; }

}  // namespace

std::string layers_text(const std::vector<int64_t>& layers) {
  std::vector<std::string> ranges;
  for (size_t i = 0; i < layers.size();) {
    size_t end = i + 1;
    while (end < layers.size() && layers[end] == layers[end - 1] + 1) ++end;
    ranges.push_back(range_text(layers[i], layers[end - 1]));
    i = end;
  }
  if (ranges.empty()) return "";
  std::string text = layers.size() == 1 ? "layer " : "layers ";
  for (size_t i = 0; i < ranges.size(); ++i) text += (i > 0 ? ", " : "") + ranges[i];
  return text;
}

std::string trigger_text(const std::vector<std::string>& categories, const CategoryTitles& titles) {
  if (categories.size() > 1 && categories.size() == titles.size()) return "prompts of every kind";
  std::vector<std::string> listed;
  for (const std::string& id : categories) {
    if (listed.size() == kListedTitles && categories.size() > kListedTitles + 1) {
      listed.push_back(fmt::format("{} more kinds of prompt", categories.size() - kListedTitles));
      break;
    }
    const auto found = titles.find(id);
    listed.push_back(found == titles.end() ? id : found->second);
  }
  return join_with_and(listed);
}

std::string measure_text(double value, const EffectEstimate& effect) {
  if (!effect.is_scalar) return fmt::format("{:.0f}%", 100.0 * value);
  const std::string number = std::abs(value) >= 10.0 ? fmt::format("{:.0f}", value) : fmt::format("{:.2f}", value);
  return effect.unit.empty() ? number : number + " " + effect.unit;
}

std::string claim_sentence(const ClaimWords& words) {
  const std::string base = measure_text(words.effect.base, words.effect);
  const std::string target = measure_text(words.effect.target, words.effect);
  if (words.effect.is_scalar) {
    return fmt::format("{} {} on {}{}: from {} in the base to {} in the target.", subject(words, "change", "changes"),
                       words.capability, words.trigger, in_target(words), base, target);
  }
  if (!words.instead.empty()) {
    return fmt::format("{} {} on {}{}: the target {} in {} of answers, the base in {}.",
                       subject(words, "remove", "no longer shows"), words.capability, words.trigger, in_target(words),
                       words.instead, target, base);
  }
  if (words.kind == "removed") {
    return fmt::format("{} {} on {}{}: the base {} in {} of answers, the target in {}.",
                       subject(words, "remove", "no longer shows"), words.capability, words.trigger, in_target(words),
                       words.shows, base, target);
  }
  const bool grew = words.effect.target >= words.effect.base;
  const char* change = words.kind == "added" ? "new" : grew ? "enhanced" : "reduced";
  return fmt::format("{} {} {} on {}{}: it {} in {} of answers, the base in {}.", subject(words, "show", "shows"), change,
                     words.capability, words.trigger, in_target(words), words.shows, target, base);
}

}  // namespace fi
