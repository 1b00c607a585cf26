#include "fi/compare/name_places.h"

#include <algorithm>

namespace fi {
namespace {

constexpr int64_t kPassageRadius = 8;  // tokens
constexpr int64_t kFewestPlaces = 4;

TokenIds around_peak(const ShownText& text) {
  const int64_t peak = peak_of(text).position;
  TokenIds passage;
  for (const ShownRow& row : text.rows) {
    if (std::abs(row.position - peak) <= kPassageRadius) passage.push_back(row.token);
  }
  return passage;
}

// So many tokens of the answer, away from the peak, whose strongest is the weakest; nothing where there is no room.
TokenIds quietest(const ShownText& text, size_t length) {
  const int64_t peak = peak_of(text).position;
  std::vector<ShownRow> run;
  TokenIds passage;
  float quietest = 0.0F;
  for (const ShownRow& row : text.rows) {
    if (row.position < text.answer->start || std::abs(row.position - peak) <= kPassageRadius) {
      run.clear();
      continue;
    }
    run.push_back(row);
    if (run.size() > length) run.erase(run.begin());
    if (run.size() < length) continue;
    const float largest = std::ranges::max_element(run, {}, &ShownRow::value)->value;
    if (!passage.empty() && largest >= quietest) continue;
    quietest = largest;
    passage.clear();
    for (const ShownRow& member : run) passage.push_back(member.token);
  }
  return passage;
}

}  // namespace

std::optional<PlaceTest> test_places(const std::vector<const ShownText*>& texts, const ScoredName& name,
                                     const NameSources& sources, const Tokenizer& tokenizer) {
  if (name.behaviour.empty()) return std::nullopt;
  const auto fits = [&](const TokenIds& passage) {
    return sources.shows(tokenizer.decode(passage, /*skip_special=*/true), name.behaviour) ? 1 : 0;
  };
  PlaceTest places;
  for (const ShownText* text : texts) {
    if (text->rows.empty() || text->answer == nullptr || !text->answer->shows.contains(name.behaviour)) continue;
    if (text->largest() <= name.threshold) continue;
    const TokenIds active = around_peak(*text), quiet = quietest(*text, active.size());
    if (quiet.empty()) continue;
    ++places.num_active;
    ++places.num_quiet;
    places.fit_active += fits(active);
    places.fit_quiet += fits(quiet);
  }
  if (places.num_active < kFewestPlaces) return std::nullopt;
  return places;
}

}  // namespace fi
