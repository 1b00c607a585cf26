#pragma once

#include <cstdint>
#include <vector>

#include "fi/behaviour/detector.h"
#include "fi/behaviour/findings.h"
#include "fi/behaviour/prompt_measures.h"

namespace fi {

/// A set of categories on which one measure differs on discovery prompts.
struct Proposal {
  std::vector<bool> categories;  // per category of the table
  bool is_everywhere = false;
  bool is_hunch = false;  // too little to be likelier than chance on these few prompts, but worth fresh ones
  int64_t num_prompts = 0;
  double base = 0.0;  // mean measures on those prompts
  double target = 0.0;
  double effect_size = 0.0;  // Cliff's delta, at least the threshold in magnitude
  double score = 0.0;        // effect size times the root of the number of prompts; of a hunch: -log p over all prompts
};

/// At most one proposal for each direction. Where more than 60% of the categories take part, all do. Where no set of categories
/// is likelier than chance, a presence that is rare everywhere else and shows in two prompts of one category is a hunch, for up
/// to three categories.
std::vector<Proposal> propose(const PromptMeasures& measures, const PromptTable& table, bool is_scalar, double min_effect_size);

/// The proposal that these measures make for a given set.
Proposal describe_proposal(const PromptMeasures& measures, const PromptTable& table, std::vector<bool> categories);

struct ScoredCandidate {
  Candidate candidate;
  double score = 0.0;
  bool is_everywhere = false;
  bool is_hunch = false;
};

ScoredCandidate make_candidate(std::shared_ptr<const Detector> detector, const Proposal& proposal, const PromptTable& table);

struct PhraseScreening {
  int64_t num_hypotheses = 0;
  std::vector<ScoredCandidate> candidates;  // strongest first
};

/// Phrases that tell the models' answers apart. A hypothesis is a phrase that answers to three different prompts hold, over all
/// categories, and once more for each category in which three prompts' answers hold it. Of phrases that come in the same answers
/// the longest stays, and at most three of one such family.
PhraseScreening screen_phrases(const std::vector<AnswerPair>& pairs, const PromptTable& table, double min_effect_size,
                               size_t max_candidates);

}  // namespace fi
