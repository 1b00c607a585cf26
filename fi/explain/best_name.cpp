#include "fi/explain/best_name.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "fi/core/random.h"

namespace fi {
namespace {

constexpr int64_t kFewestTexts = 2;
constexpr int kShuffles = 200;
constexpr double kQuantile = 0.95;

/// Texts by rising activation.
class SortedTexts {
 public:
  explicit SortedTexts(const std::vector<TextActivation>& texts) {
    for (const TextActivation& text : texts) order_.push_back(&text);
    std::ranges::stable_sort(order_, {}, [](const TextActivation* text) { return text->value; });
  }

  std::vector<char> labels(const NameHypothesis& hypothesis) const {
    std::vector<char> labels;
    for (const TextActivation* text : order_) labels.push_back(hypothesis.fits(*text) ? 1 : 0);
    return labels;
  }
  size_t size() const { return order_.size(); }
  double value(size_t i) const { return order_[i]->value; }

 private:
  std::vector<const TextActivation*> order_;
};

int64_t num_inside(const std::vector<char>& labels) { return std::accumulate(labels.begin(), labels.end(), int64_t{0}); }

bool has_both(const std::vector<char>& labels) {
  const int64_t inside = num_inside(labels);
  return inside >= kFewestTexts && std::ssize(labels) - inside >= kFewestTexts;
}

// What is true of more than two in three texts says little of one.
bool is_of_most(const std::vector<char>& labels) { return 3 * num_inside(labels) > 2 * std::ssize(labels); }

/// Texts told apart, where the first `num_quiet` do not fire and the others do.
struct Accuracy {
  double inside, outside, hits, rejections;

  Accuracy(const std::vector<char>& labels, size_t num_quiet)
      : inside(static_cast<double>(num_inside(labels))), outside(static_cast<double>(labels.size()) - inside) {
    const std::vector<char> quiet(labels.begin(), labels.begin() + static_cast<int64_t>(num_quiet));
    const auto quiet_inside = static_cast<double>(num_inside(quiet));
    hits = inside - quiet_inside;
    rejections = static_cast<double>(num_quiet) - quiet_inside;
  }
  double balanced() const { return 0.5 * (hits / inside + rejections / outside); }
};

struct Split {
  double threshold = 0.0;  // fires above it
  double assured = 0.0;    // balanced accuracy by Laplace's rule, so that few texts, all told apart, are not taken for many
};

// Halfway between two neighbouring values, so that held-out texts near it fall to either side.
Split best_split(const SortedTexts& texts, const std::vector<char>& labels) {
  const int64_t inside = num_inside(labels), outside = std::ssize(labels) - inside;
  double threshold = texts.value(0) - 1.0;  // all fire
  int64_t hits = inside, rejections = 0, best = inside * outside, best_hits = hits, best_rejections = 0;
  for (size_t i = 0; i + 1 < labels.size(); ++i) {
    hits -= labels[i];
    rejections += 1 - labels[i];
    const int64_t score = hits * outside + rejections * inside;  // accuracy without a rounding that could decide a tie
    if (texts.value(i) == texts.value(i + 1) || score <= best) continue;
    best = score;
    best_hits = hits;
    best_rejections = rejections;
    threshold = 0.5 * (texts.value(i) + texts.value(i + 1));
  }
  const auto assured = [](int64_t right, int64_t of) { return static_cast<double>(right + 1) / static_cast<double>(of + 2); };
  return {threshold, 0.5 * (assured(best_hits, inside) + assured(best_rejections, outside))};
}

// How many texts do not fire.
size_t num_quiet(const SortedTexts& texts, double threshold) {
  size_t count = 0;
  while (count < texts.size() && texts.value(count) <= threshold) ++count;
  return count;
}

double shuffled_score(std::vector<char> labels, size_t quiet, uint64_t seed) {
  Random random(seed, stream_of("shuffled names"));
  std::vector<double> scores;
  for (int i = 0; i < kShuffles; ++i) {
    random.shuffle(labels);
    scores.push_back(Accuracy(labels, quiet).balanced());
  }
  std::ranges::sort(scores);
  return scores[static_cast<size_t>(kQuantile * kShuffles)];
}

}  // namespace

std::optional<ScoredName> best_name(const std::vector<TextActivation>& fit, const std::vector<TextActivation>& held_out,
                                    const std::vector<NameHypothesis>& hypotheses, uint64_t seed) {
  const SortedTexts seen(fit), unseen(held_out);
  const NameHypothesis* best = nullptr;
  Split best_of_all;
  for (const NameHypothesis& hypothesis : hypotheses) {
    const std::vector<char> labels = seen.labels(hypothesis);
    if (!has_both(labels) || !has_both(unseen.labels(hypothesis)) || is_of_most(labels)) continue;
    const Split split = best_split(seen, labels);
    if (best != nullptr && split.assured <= best_of_all.assured) continue;
    best = &hypothesis;
    best_of_all = split;
  }
  if (best == nullptr) return std::nullopt;
  const std::vector<char> labels = unseen.labels(*best);
  const size_t quiet = num_quiet(unseen, best_of_all.threshold);
  const Accuracy accuracy(labels, quiet);
  const Interval interval = balanced_accuracy_interval(accuracy.hits, accuracy.inside, accuracy.rejections, accuracy.outside);
  return ScoredName{.words = best->words,
                    .behaviour = best->behaviour,
                    .score = accuracy.balanced(),
                    .low = interval.low,
                    .high = interval.high,
                    .shuffled = shuffled_score(labels, quiet, seed),
                    .threshold = best_of_all.threshold,
                    .num_inside = num_inside(labels),
                    .num_outside = std::ssize(labels) - num_inside(labels),
                    .places = {}};
}

double PlaceTest::score() const {
  if (num_active == 0 || num_quiet == 0) return 0.5;
  const auto rate = [](int64_t count, int64_t of) { return static_cast<double>(count) / static_cast<double>(of); };
  return 0.5 * (rate(fit_active, num_active) + 1.0 - rate(fit_quiet, num_quiet));
}

Interval balanced_accuracy_interval(double hits, double inside, double rejections, double outside) {
  const double found = hits / inside, left = rejections / outside;
  const Interval of_found = wilson_interval(hits, inside), of_left = wilson_interval(rejections, outside);
  const double score = 0.5 * (found + left);
  return {score - 0.5 * std::hypot(found - of_found.low, left - of_left.low),
          score + 0.5 * std::hypot(of_found.high - found, of_left.high - left)};
}

bool passes_bar(const ScoredName& name) { return name.score >= kNamingBar && name.score > name.shuffled; }

}  // namespace fi
