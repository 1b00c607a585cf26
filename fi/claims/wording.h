#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "fi/claims/report_data.h"

namespace fi {

/// PromptCategory::id -> title.
using CategoryTitles = std::map<std::string, std::string>;

/// "layers 16-20", "layer 3", "layers 2, 5-7"; "" of none.
std::string layers_text(const std::vector<int64_t>& layers);

/// "arithmetic word problems and algebra"; long lists are cut: "a, b, c and 5 more"; all of them: "prompts of every kind".
std::string trigger_text(const std::vector<std::string>& categories, const CategoryTitles& titles);

/// "96%", for shares; "71.5 words" for scalars.
std::string measure_text(double value, const EffectEstimate& effect);

/// The parts of a claim that its sentence is made of.
struct ClaimWords {
  std::string kind;        // "added", "removed", "modified"
  std::string capability;  // noun phrase
  std::string shows;       // verb phrase of the primary finding: "works in numbered steps"
  std::string instead;     // what takes its place where something was lost: "declines the request"; may be empty
  std::string trigger;
  std::vector<int64_t> layers;
  EffectEstimate effect;
};

/// One sentence of the kind "Layers 16-20 show enhanced step-by-step reasoning on word problems in the target: ...".
std::string claim_sentence(const ClaimWords& words);

}  // namespace fi
