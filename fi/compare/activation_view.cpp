#include "fi/compare/activation_view.h"

#include <algorithm>
#include <numeric>

#include "fi/compare/name_places.h"

namespace fi {
namespace {

constexpr size_t kCategoriesListed = 8;
constexpr size_t kExamples = 4;
constexpr int64_t kTokensAround = 16;  // shown before and after the token that is strongest

std::vector<ShownRow> rows_around_peak(const ShownText& text) {
  const int64_t centre = peak_of(text).position;
  std::vector<ShownRow> rows;
  std::ranges::copy_if(text.rows, std::back_inserter(rows),
                       [&](const ShownRow& row) { return std::abs(row.position - centre) <= kTokensAround; });
  return rows;
}

double share_of(double value, double most) { return most > 0.0 ? std::clamp(value / most, 0.0, 1.0) : 0.0; }

// The four strongest texts, one of each category.
std::vector<const ShownText*> strongest_texts(const std::vector<ShownText>& texts) {
  std::vector<const ShownText*> order, chosen;
  for (const ShownText& text : texts) order.push_back(&text);
  std::ranges::stable_sort(order, std::ranges::greater(), &ShownText::largest);
  std::set<std::string> seen;
  for (const ShownText* text : order) {
    if (chosen.size() == kExamples || text->largest() <= 0.0) break;
    if (seen.insert(text->category).second) chosen.push_back(text);
  }
  return chosen;
}

std::vector<TextActivation> activations_of(const std::vector<const ShownText*>& texts) {
  std::vector<TextActivation> activations;
  for (const ShownText* text : texts)
    activations.push_back({text->category, text->largest(), text->answer != nullptr ? &text->answer->shows : nullptr});
  return activations;
}

double strongest_of(const std::vector<const ShownText*>& texts) {
  double strongest = 0.0;
  for (const ShownText* text : texts) strongest = std::max(strongest, text->largest());
  return strongest;
}

std::string with_marks(const std::vector<ShownRow>& rows, const std::vector<char>& is_marked, const Tokenizer& tokenizer) {
  std::string text;
  bool was_marked = false;
  for (size_t i = 0; i < rows.size(); ++i) {
    if ((is_marked[i] != 0) != was_marked) text += was_marked ? "»" : "«";
    was_marked = is_marked[i] != 0;
    text += tokenizer.token_text(rows[i].token);
  }
  return was_marked ? text + "»" : text;
}

// As many marks on the quietest rows; nothing where there is no room for that.
std::optional<std::vector<char>> moved_marks(const std::vector<ShownRow>& rows, const std::vector<char>& is_marked) {
  std::vector<size_t> order(rows.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, {}, [&](size_t i) { return rows[i].value; });
  const auto num_marks = static_cast<size_t>(std::ranges::count(is_marked, 1));
  if (2 * num_marks > rows.size()) return std::nullopt;
  std::vector<char> moved(rows.size(), 0);
  for (size_t i = 0; i < num_marks; ++i) moved[order[i]] = 1;
  return moved;
}

// The tokens around each text's peak; those above half of the strongest of all are marked, and the peak itself.
std::vector<ShownContext> contexts_of(const std::vector<const ShownText*>& texts, const Tokenizer& tokenizer, double strongest) {
  std::vector<ShownContext> contexts;
  for (const ShownText* text : texts) {
    if (text->rows.empty()) continue;
    const std::vector<ShownRow> rows = rows_around_peak(*text);
    const int64_t peak = peak_of(*text).position;
    std::vector<char> is_marked;
    for (const ShownRow& row : rows) is_marked.push_back(row.position == peak || row.value > 0.5 * strongest ? 1 : 0);
    const auto moved = moved_marks(rows, is_marked);
    contexts.push_back({.category = text->category,
                        .plain = with_marks(rows, std::vector<char>(rows.size(), 0), tokenizer),
                        .marked = with_marks(rows, is_marked, tokenizer),
                        .mismarked = moved ? with_marks(rows, *moved, tokenizer) : "",
                        .value = text->largest()});
  }
  return contexts;
}

Json document_of(const ScoredName& name, const char* words) {
  Json document = {{words, name.words},
                   {"score", name.score},
                   {"low", name.low},
                   {"high", name.high},
                   {"shuffled", name.shuffled},
                   {"num_inside", name.num_inside},
                   {"num_outside", name.num_outside},
                   {"passes_bar", passes_bar(name)}};
  if (name.places) {
    const PlaceTest& places = *name.places;
    document["places"] = {{"num_active", places.num_active},
                          {"fit_active", places.fit_active},
                          {"num_quiet", places.num_quiet},
                          {"fit_quiet", places.fit_quiet}};
  }
  return document;
}

}  // namespace

const ShownRow& peak_of(const ShownText& text) { return *std::ranges::max_element(text.rows, {}, &ShownRow::value); }

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

Json example_documents(const std::vector<ShownText>& texts, const Tokenizer& tokenizer) {
  const std::vector<const ShownText*> chosen = strongest_texts(texts);
  double most = 0.0;
  for (const ShownText* text : chosen) {
    for (const ShownRow& row : rows_around_peak(*text)) most = std::max<double>({most, row.base, row.target});
  }
  Json listed = Json::array();
  for (const ShownText* text : chosen) {
    Json tokens = Json::array();
    for (const ShownRow& row : rows_around_peak(*text)) {
      tokens.push_back({{"text", tokenizer.token_text(row.token)},
                        {"value", share_of(row.value, chosen.front()->largest())},
                        {"base", share_of(row.base, most)},
                        {"target", share_of(row.target, most)}});
    }
    listed.push_back({{"category", text->category}, {"tokens", std::move(tokens)}});
  }
  return listed;
}

void add_names(Json& entry, const std::vector<ShownText>& texts, const Tokenizer& tokenizer, const Naming& naming) {
  std::vector<const ShownText*> fit, held_out;
  std::map<std::string, size_t> turn;  // every second category begins with a held-out text: many have one text only
  for (const ShownText& text : texts) {
    const auto next = turn.try_emplace(text.category, turn.size()).first;
    (next->second++ % 2 == 0 ? fit : held_out).push_back(&text);
  }
  if (auto name = best_name(activations_of(fit), activations_of(held_out), naming.sources.hypotheses(), naming.seed)) {
    if (passes_bar(*name)) name->places = test_places(held_out, *name, naming.sources, tokenizer);
    entry["name"] = document_of(*name, "fires_on");
  }
  if (naming.explainer == nullptr) return;
  const double strongest = strongest_of(fit);
  const auto described =
      naming.explainer->explain(contexts_of(fit, tokenizer, strongest), contexts_of(held_out, tokenizer, strongest), naming.seed);
  if (!described) return;
  if (described->name) {
    entry["described"] = document_of(*described->name, "words");
    entry["described"]["by"] = naming.explainer->model_name();
  }
  if (!described->name && !described->failure.empty()) entry["described"] = {{"failure", described->failure}};
}

}  // namespace fi
