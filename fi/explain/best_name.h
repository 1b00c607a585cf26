#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace fi {

/// How strongly a latent or direction fires on one text.
struct TextActivation {
  std::string category;
  double value = 0.0;
  const std::set<std::string>* shows = nullptr;  // ids of the behaviours that its answer shows; null: not known
};

/// "Fires on <words>": true of the texts of these categories, or where `behaviour` is given, of those whose answer shows it.
struct NameHypothesis {
  std::string words;
  std::set<std::string> categories;
  std::string behaviour;

  bool fits(const TextActivation& text) const {
    if (behaviour.empty()) return categories.contains(text.category);
    return text.shows != nullptr && text.shows->contains(behaviour);
  }
};

struct ScoredName {
  std::string words;
  double score = 0.5;      // balanced accuracy on held-out texts of "fires above the threshold = the hypothesis is true of it"
  double shuffled = 0.5;   // 95% quantile of the same over shuffled held-out labels
  int64_t num_inside = 0;  // held-out texts of which it is true
  int64_t num_outside = 0;
};

/// A name is given from this score on, and only above the shuffled one.
inline constexpr double kNamingBar = 0.7;

/// The hypothesis that explains `fit` best, scored on `held_out` with the threshold that `fit` set (detection scoring: Paulo et
/// al., 2024, with categories and detectors in place of a judge); of equally good ones the first. Nothing if no hypothesis that
/// is true of at most two in three texts has at least two inside and outside in both sets.
std::optional<ScoredName> best_name(const std::vector<TextActivation>& fit, const std::vector<TextActivation>& held_out,
                                    const std::vector<NameHypothesis>& hypotheses, uint64_t seed);

/// True where the name may be shown; below the bar a feature stays unnamed.
bool passes_bar(const ScoredName& name);

}  // namespace fi
