#pragma once

#include <vector>

#include "fi/behaviour/findings.h"
#include "fi/claims/ledger.h"
#include "fi/compare/options.h"
#include "fi/diff/layer_map.h"
#include "fi/diff/layer_patching.h"
#include "fi/diff/transplant_scan.h"
#include "fi/intervene/causal_tests.h"
#include "fi/intervene/transplant_answers.h"
#include "fi/tokenizer/tokenizer.h"

namespace fi {

struct AnalysisOptions {
  double threshold = 0.3;
  int64_t seed = 0;
};

/// What the answers say: found on discovery prompts, tested on confirmation prompts; without discovery prompts searched and
/// tested at once on the others (fi/behaviour/few_prompts.h).
struct Analysis {
  std::vector<AnswerPair> discovery;
  std::vector<AnswerPair> confirmation;
  bool fresh_prompts = true;  // false: no prompt was set aside, all were searched and tested at once
  Screening screening;
  std::vector<Finding> findings;  // of candidates that fresh prompts tested; their categories are the tested ones
  int64_t num_untested = 0;       // candidates whose categories got no fresh prompt within the budget
};

/// With the detectors given and, where right answers are known, with whether they are given.
Analysis analyse(const std::vector<AnswerPair>& pairs, const DetectorList& given, const AnalysisOptions& options);

/// The built-in detectors and those of --concepts.
DetectorList detectors_for(const CompareOptions& options);

/// activations/layers.json, with the logit lens of every layer's mean difference. `patching` is empty for identical models.
Json layer_map_document(const LayerMap& map, const LayerPatching& patching, const Decoder& base, const Tokenizer& tokenizer);

/// One entry of activations/localisation.json.
Json localisation_document(const std::vector<std::string>& categories, const TransplantScan& scan, const CausalReport& causes,
                           const std::vector<TransplantAnswers>& generated, uint64_t seed);
std::vector<Localisation> localisations_from_json(const Json& document);

}  // namespace fi
