#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "fi/behaviour/detector.h"
#include "fi/capture/traced_text.h"
#include "fi/compare/options.h"
#include "fi/core/json.h"
#include "fi/explain/best_name.h"
#include "fi/prompts/prompt_set.h"
#include "fi/tokenizer/tokenizer.h"

namespace fi {

/// Triggers and behaviours of located changes, as localisation.json has them.
struct LocatedChanges {
  std::set<std::vector<std::string>> triggers;  // ids of categories
  std::set<std::string> phrases;                // ids of phrase detectors among their behaviours

  void add(const std::vector<std::string>& categories, const std::vector<std::string>& behaviours);
};
LocatedChanges located_changes(const Json& localisation);

/// The answer in a text that was read.
struct ReadAnswer {
  int64_t start = 0;            // its first token; 0: the whole text
  std::set<std::string> shows;  // ids of the behaviours that it shows
};

/// What features may be named after, and what tells which texts a name is true of: the triggers of located changes, the broad
/// groups of prompts, and what answers show, in the words of the concept library, of --concepts and of phrases that were found.
class NameSources {
 public:
  NameSources(const PromptSet& prompts, const CompareOptions& options, const LocatedChanges& changes);

  const std::vector<NameHypothesis>& hypotheses() const { return hypotheses_; }
  std::vector<ReadAnswer> read_answers(const std::vector<TracedText>& texts, const Tokenizer& tokenizer) const;
  /// Whether a passage shows the behaviour of one of the hypotheses.
  bool shows(const std::string& passage, const std::string& behaviour) const;

 private:
  DetectorList detectors_;  // of presence
  std::vector<NameHypothesis> hypotheses_;
};

}  // namespace fi
