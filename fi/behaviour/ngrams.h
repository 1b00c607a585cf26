#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fi/behaviour/prompt_measures.h"
#include "fi/capture/answer_pair.h"

namespace fi {

/// A word with every run of digits replaced by '#'.
std::string with_numbers_masked(std::string_view word);
/// The words of a phrase, where '#' stands for any number.
std::vector<std::string> phrase_words(std::string_view phrase);

/// A sequence of 1 to 4 words that enough answers hold.
struct PhraseCount {
  std::string text;
  size_t num_words = 0;
  std::vector<uint32_t> base;    // prompts whose base answer holds it and whose own text does not, ascending
  std::vector<uint32_t> target;  // the same of target answers
};

/// Word 1- to 4-grams within sentences, counted once per prompt and model. Kept are those that the answers of one of the models
/// to at least `min_prompts` different prompts hold, not counting prompts that hold the phrase themselves, and that have a word
/// other than function words and numbers. Looks at the first 2,000 words of an answer.
std::vector<PhraseCount> count_phrases(const std::vector<AnswerPair>& pairs, const PromptTable& table, size_t min_prompts);

/// z-score of a phrase's log-odds in target against base (Monroe, Colaresi and Quinn, 2008) over document counts: `base` and
/// `target` of `num_documents` each hold it; `prior_rate` is its rate over all documents of both models, worth two documents.
double log_odds_z(double base, double target, double num_documents, double prior_rate);

}  // namespace fi
