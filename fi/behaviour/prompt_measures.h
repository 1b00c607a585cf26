#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "fi/behaviour/detector.h"
#include "fi/capture/answer_pair.h"

namespace fi {

/// Answer pairs by prompt: several answers to one prompt (seeds) are one observation, their mean.
struct PromptTable {
  std::vector<std::string> categories;        // in order of first appearance
  std::vector<size_t> category_of;            // per prompt, into `categories`
  std::vector<std::vector<size_t>> pairs_of;  // per prompt, into the pairs

  size_t num_prompts() const { return category_of.size(); }
};

PromptTable tabulate_prompts(const std::vector<AnswerPair>& pairs);

/// A detector's mean measure per prompt.
struct PromptMeasures {
  std::vector<double> base;
  std::vector<double> target;

  /// Those of the prompts whose category `chosen` has.
  PromptMeasures only(const PromptTable& table, const std::vector<bool>& chosen) const;
  std::vector<double> differences() const;  // target - base
};

/// One entry per detector. Goes through the answers once, because detectors share what is parsed of an answer.
/// `wanted`, if given, has for each detector a flag per category: the measures of other categories' prompts stay 0.
std::vector<PromptMeasures> measure_prompts(const std::vector<AnswerPair>& pairs, const PromptTable& table,
                                            const DetectorList& detectors, const std::vector<std::vector<bool>>& wanted = {});

}  // namespace fi
