#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fi/behaviour/findings.h"
#include "fi/capture/answer_pair.h"
#include "fi/claims/grouping.h"
#include "fi/claims/report_data.h"
#include "fi/claims/wording.h"

namespace fi {

/// Which layers carry the change on one set of categories, as transplants measured it, and what causal tests say of it.
struct Localisation {
  std::vector<std::string> categories;  // the claim's trigger
  std::vector<int64_t> layers;          // empty: no range carried it
  std::vector<TransplantRow> transplants;
  std::vector<GeneratedRow> generated;
  std::optional<int64_t> causal_layer;  // the tests exchange a subspace of the residual stream after it
  std::optional<CausalTest> necessity, sufficiency, specificity;
};

/// How a change of the answers did where they were sampled.
struct SampledChange {
  std::string detector;  // Detector::Words::id
  std::vector<std::string> categories;
  SampledEffect effect;
};

struct LedgerInputs {
  const std::vector<Finding>& findings;
  const std::vector<AnswerPair>& confirmation;  // the pairs that Finding::examples index
  const CategoryTitles& titles;
  const std::vector<Localisation>& localisations;
  const std::vector<SampledChange>& sampled;
};

/// The claims that the findings support, strongest first, with ids "claim-1", "claim-2", ...
/// `verified`: the behaviour held on fresh prompts, and again in sampled answers where there are some, and the located subspace
/// passed necessity or sufficiency against its controls;
/// `suggestive`: it held on fresh prompts alone.
std::vector<Claim> make_claims(const LedgerInputs& inputs, const ClaimOptions& options);

/// What was tried on confirmation prompts and did not hold, strongest discovery effect first.
std::vector<Evidence> not_confirmed(const LedgerInputs& inputs, const ClaimOptions& options);

/// How much a run looked at.
struct SearchScope {
  int64_t num_prompts = 0;
  int64_t num_hypotheses = 0;
  bool fresh_prompts = true;  // false: no prompt was set aside to test what the others showed
  std::string hints;          // then: what shows and is not certain (hints_text)
};

/// "interrupts and corrects itself (50% against 0% in the base), ...": the clearest behaviours that did not hold; "" without any.
std::string hints_text(const std::vector<Evidence>& not_confirmed);

/// One paragraph that answers what changed.
std::string summarise(const std::vector<Claim>& claims, const SearchScope& scope);

}  // namespace fi
