#include "fi/explain/best_name.h"

#include <algorithm>
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

// Where the first `num_quiet` texts do not fire and the others do.
double balanced_accuracy(const std::vector<char>& labels, size_t num_quiet) {
  const auto inside = static_cast<double>(num_inside(labels)), outside = static_cast<double>(labels.size()) - inside;
  const std::vector<char> quiet(labels.begin(), labels.begin() + static_cast<int64_t>(num_quiet));
  const auto quiet_inside = static_cast<double>(num_inside(quiet));
  return 0.5 * ((inside - quiet_inside) / inside + (static_cast<double>(num_quiet) - quiet_inside) / outside);
}

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
    scores.push_back(balanced_accuracy(labels, quiet));
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
  return ScoredName{.words = best->words,
                    .score = balanced_accuracy(labels, quiet),
                    .shuffled = shuffled_score(labels, quiet, seed),
                    .num_inside = num_inside(labels),
                    .num_outside = std::ssize(labels) - num_inside(labels)};
}

bool passes_bar(const ScoredName& name) { return name.score >= kNamingBar && name.score > name.shuffled; }

}  // namespace fi
