#include "fi/explain/category_name.h"

#include <algorithm>

#include "fi/core/random.h"

namespace fi {
namespace {

constexpr int64_t kFewestTexts = 2;
constexpr int kShuffles = 200;
constexpr double kQuantile = 0.95;

struct Labelled {
  std::vector<double> values;
  std::vector<bool> inside;

  int64_t num_inside() const { return std::count(inside.begin(), inside.end(), true); }
  int64_t num_outside() const { return static_cast<int64_t>(inside.size()) - num_inside(); }
  bool has_both() const { return num_inside() >= kFewestTexts && num_outside() >= kFewestTexts; }
};

Labelled label(const std::vector<TextActivation>& texts, const CategoryHypothesis& hypothesis) {
  Labelled labelled;
  for (const TextActivation& text : texts) {
    labelled.values.push_back(text.value);
    labelled.inside.push_back(hypothesis.categories.contains(text.category));
  }
  return labelled;
}

double balanced_accuracy(const Labelled& texts, double threshold) {
  double hits = 0.0, rejections = 0.0;
  for (size_t i = 0; i < texts.values.size(); ++i) {
    const bool fires = texts.values[i] > threshold;
    if (texts.inside[i] && fires) hits += 1.0;
    if (!texts.inside[i] && !fires) rejections += 1.0;
  }
  return 0.5 * (hits / static_cast<double>(texts.num_inside()) + rejections / static_cast<double>(texts.num_outside()));
}

// Halfway between two neighbouring values, so that held-out texts near it fall to either side.
double best_threshold(const Labelled& texts) {
  std::vector<double> sorted = texts.values;
  std::sort(sorted.begin(), sorted.end());
  double best = sorted.front() - 1.0;
  for (size_t i = 0; i + 1 < sorted.size(); ++i) {
    const double threshold = 0.5 * (sorted[i] + sorted[i + 1]);
    if (balanced_accuracy(texts, threshold) > balanced_accuracy(texts, best)) best = threshold;
  }
  return best;
}

double shuffled_score(Labelled texts, double threshold, uint64_t seed) {
  Random random(seed, stream_of("shuffled names"));
  std::vector<char> labels(texts.inside.begin(), texts.inside.end());
  std::vector<double> scores;
  for (int i = 0; i < kShuffles; ++i) {
    random.shuffle(labels);
    texts.inside.assign(labels.begin(), labels.end());
    scores.push_back(balanced_accuracy(texts, threshold));
  }
  std::sort(scores.begin(), scores.end());
  return scores[static_cast<size_t>(kQuantile * kShuffles)];
}

}  // namespace

std::optional<ScoredName> best_category_name(const std::vector<TextActivation>& fit, const std::vector<TextActivation>& held_out,
                                             const std::vector<CategoryHypothesis>& hypotheses, uint64_t seed) {
  std::optional<ScoredName> best;
  double best_fit = 0.0;
  for (const CategoryHypothesis& hypothesis : hypotheses) {
    const Labelled seen = label(fit, hypothesis);
    const Labelled unseen = label(held_out, hypothesis);
    if (!seen.has_both() || !unseen.has_both()) continue;
    const double threshold = best_threshold(seen);
    const double quality = balanced_accuracy(seen, threshold);
    if (best && quality <= best_fit) continue;
    best_fit = quality;
    best = ScoredName{.words = hypothesis.words,
                      .score = balanced_accuracy(unseen, threshold),
                      .shuffled = shuffled_score(unseen, threshold, seed),
                      .num_inside = unseen.num_inside(),
                      .num_outside = unseen.num_outside()};
  }
  return best;
}

bool passes_bar(const ScoredName& name) { return name.score >= kNamingBar && name.score > name.shuffled; }

}  // namespace fi
