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
};

/// "Fires on <words>": true of the texts of these categories.
struct CategoryHypothesis {
  std::string words;
  std::set<std::string> categories;
};

struct ScoredName {
  std::string words;
  double score = 0.5;      // balanced accuracy on held-out texts of "fires above the threshold = belongs to the categories"
  double shuffled = 0.5;   // 95% quantile of the same over shuffled held-out labels
  int64_t num_inside = 0;  // held-out texts of the categories
  int64_t num_outside = 0;
};

/// A name is given from this score on, and only above the shuffled one.
inline constexpr double kNamingBar = 0.7;

/// The hypothesis that explains `fit` best, scored on `held_out` with the threshold that `fit` set (detection scoring: Paulo et
/// al., 2024, with categories in place of a judge). Nothing if no hypothesis has at least two texts inside and outside in both
/// sets.
std::optional<ScoredName> best_category_name(const std::vector<TextActivation>& fit, const std::vector<TextActivation>& held_out,
                                             const std::vector<CategoryHypothesis>& hypotheses, uint64_t seed);

/// True where the name may be shown; below the bar a feature stays unnamed.
bool passes_bar(const ScoredName& name);

}  // namespace fi
