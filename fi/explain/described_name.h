#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fi/core/progress.h"
#include "fi/explain/best_name.h"
#include "fi/explain/chat_model.h"

namespace fi {

/// A text as an explainer sees it.
struct ShownContext {
  std::string category;
  std::string plain;
  std::string marked;     // the same with «» around the tokens where the feature is strong
  std::string mismarked;  // the same with as many other tokens marked, where it is quiet; empty where there are too few
  double value = 0.0;     // the strongest in it
};

/// A name in a chat model's own words, or why there is none.
struct DescribedName {
  std::optional<ScoredName> name;
  std::string failure;  // why there is none, or no place test of it; empty where too few texts tell the feature apart
};

/// Asks a chat model what a feature fires on (Bills et al., 2023), and scores its description by detection (Paulo et al., 2024):
/// shown only the description and held-out texts in which nothing is marked, which of them does it fit? Half of the quiet texts
/// are hard ones, of the kinds of prompts that the firing ones have and the most like them in their words. Then by fuzzing (the
/// same): in which held-out texts are the marks where the description says, and not on other words? Texts go as JSON strings, and
/// what comes back is a line of plain words or is refused: instructions inside a text can at worst spoil the score. After three
/// failures in a row it is not asked again.
class Explainer {
 public:
  /// Asks about at most `max_features` features.
  Explainer(ChatModel& model, int64_t max_features, ProgressSink& progress)
      : model_(model), left_(max_features), progress_(progress) {}

  std::string model_name() const { return model_.name(); }
  /// Nothing once it is not asked any more.
  std::optional<DescribedName> explain(const std::vector<ShownContext>& fit, const std::vector<ShownContext>& held_out,
                                       uint64_t seed);

 private:
  ChatModel& model_;
  int64_t left_;
  ProgressSink& progress_;
  int failures_in_a_row_ = 0;
};

}  // namespace fi
