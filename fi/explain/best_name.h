#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "fi/core/statistics.h"

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

/// Whether a name fits the places where a feature is active, or only the texts around them (fuzzing: Paulo et al., 2024).
struct PlaceTest {
  int64_t num_active = 0, fit_active = 0;  // places in held-out texts where the feature is active, and those that the name fits
  int64_t num_quiet = 0, fit_quiet = 0;    // the same of places in such texts where it is quiet

  double score() const;  // balanced accuracy; 0.5 of a name that fits all places of a text alike
};

struct ScoredName {
  std::string words;
  std::string behaviour;  // of the hypothesis; empty for categories and for a chat model's words
  double score = 0.5;     // balanced accuracy on held-out texts of "fires above the threshold = the hypothesis is true of it"
  double low = 0.0;       // 95% interval of the score
  double high = 1.0;
  double shuffled = 0.5;   // 95% quantile of the same over shuffled held-out labels
  double threshold = 0.0;  // texts above it fire
  int64_t num_inside = 0;  // held-out texts of which it is true
  int64_t num_outside = 0;
  std::optional<PlaceTest> places;  // where names of that sort can be told from place to place
};

/// A name is given from this score on, and only above the shuffled one.
inline constexpr double kNamingBar = 0.7;

/// The hypothesis that explains `fit` best, scored on `held_out` with the threshold that `fit` set (detection scoring: Paulo et
/// al., 2024, with categories and detectors in place of a judge); of equally good ones the first. Nothing if no hypothesis that
/// is true of at most two in three texts has at least two inside and outside in both sets.
std::optional<ScoredName> best_name(const std::vector<TextActivation>& fit, const std::vector<TextActivation>& held_out,
                                    const std::vector<NameHypothesis>& hypotheses, uint64_t seed);

/// 95% interval of the balanced accuracy of `hits` in `inside` and `rejections` in `outside`: the mean of two rates, from
/// Wilson's interval of each (MOVER: Newcombe, 1998, method 10).
Interval balanced_accuracy_interval(double hits, double inside, double rejections, double outside);

/// True where the name may be shown; below the bar a feature stays unnamed.
bool passes_bar(const ScoredName& name);

}  // namespace fi
