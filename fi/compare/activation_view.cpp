#include "fi/compare/activation_view.h"

#include <algorithm>
#include <set>

namespace fi {
namespace {

constexpr size_t kCategoriesListed = 8;
constexpr size_t kExamples = 4;
constexpr int64_t kTokensAround = 16;  // shown before and after the token that is strongest

Json tokens_around_peak(const ShownText& text, const Tokenizer& tokenizer, double scale) {
  const int64_t centre = std::ranges::max_element(text.rows, {}, &ShownRow::value)->position;
  Json tokens = Json::array();
  for (const ShownRow& row : text.rows) {
    if (std::abs(row.position - centre) > kTokensAround) continue;
    tokens.push_back({{"text", tokenizer.token_text(row.token)}, {"value", std::clamp(row.value / scale, 0.0, 1.0)}});
  }
  return tokens;
}

}  // namespace

double ShownText::largest() const {
  float largest = 0.0F;
  for (const ShownRow& row : rows) largest = std::max(largest, row.value);
  return largest;
}

Json category_documents(std::vector<UseInCategory> uses) {
  std::ranges::stable_sort(uses, std::ranges::greater(), &UseInCategory::weight);
  Json listed = Json::array();
  for (size_t i = 0; i < std::min(uses.size(), kCategoriesListed); ++i)
    listed.push_back({{"category", uses[i].category}, {"base", uses[i].base}, {"target", uses[i].target}});
  return listed;
}

Json example_documents(const std::vector<ShownText>& texts, const Tokenizer& tokenizer, const char* model) {
  std::vector<const ShownText*> order;
  for (const ShownText& text : texts) order.push_back(&text);
  std::ranges::stable_sort(order, std::ranges::greater(), &ShownText::largest);
  Json listed = Json::array();
  std::set<std::string> seen;
  for (const ShownText* text : order) {
    if (listed.size() == kExamples || text->largest() <= 0.0) break;
    if (!seen.insert(text->category).second) continue;
    listed.push_back({{"category", text->category},
                      {"model", model},
                      {"tokens", tokens_around_peak(*text, tokenizer, order.front()->largest())}});
  }
  return listed;
}

std::optional<Json> name_document(const std::vector<ShownText>& texts, const std::vector<CategoryHypothesis>& hypotheses,
                                  uint64_t seed) {
  std::map<std::string, int64_t> seen;
  std::vector<TextActivation> fit, held_out;
  for (const ShownText& text : texts)
    (seen[text.category]++ % 2 == 0 ? fit : held_out).push_back({text.category, text.largest()});
  const std::optional<ScoredName> name = best_category_name(fit, held_out, hypotheses, seed);
  if (!name) return std::nullopt;
  return Json{{"fires_on", name->words},          {"score", name->score},
              {"shuffled", name->shuffled},       {"num_inside", name->num_inside},
              {"num_outside", name->num_outside}, {"passes_bar", passes_bar(*name)}};
}

}  // namespace fi
