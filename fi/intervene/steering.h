#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fi/core/progress.h"
#include "fi/intervene/subspace.h"
#include "fi/model/decoder.h"
#include "fi/model/generate.h"
#include "fi/tokenizer/tokenizer.h"

namespace fi {

/// Where and along what the base is steered.
struct Steering {
  int64_t layer = 0;               // the residual stream after it
  Subspace subspace;               // of the feature
  at::Tensor step;                 // [d_model] fp32, inside the subspace: how far the target typically is from the base
  std::optional<double> strength;  // set: adds strength x step to every row; else the base takes the target's values
  uint64_t seed = 0;               // of the control
};

/// One prompt, answered greedily in four ways.
struct SteeredAnswers {
  std::string prompt;
  std::string base, target;
  std::string steered;                 // base, steered while it reads the prompt and while it answers
  std::string control;                 // base, steered as far in a random subspace of equal rank: row by row the same norm
  double gap = 0.0;                    // mean log-probability of the target's answer, target less base, nats a token
  std::optional<double> share_closed;  // of the gap, by steering; nothing where the gap is under 0.05
  std::optional<double> control_share_closed;
};

/// Tries a feature on prompts (interchange intervention: Geiger et al., 2021; steering by addition: Turner et al., 2023). The
/// target reads every token that the base writes, so that its values are of the same text. kIncompatible unless the models have
/// equal shapes; kUsage for a layer that they do not have.
std::vector<SteeredAnswers> steer(const Decoder& base, const Decoder& target, const Tokenizer& tokenizer,
                                  const Steering& steering, const std::vector<std::string>& prompts,
                                  const GenerateOptions& options, ProgressSink& progress);

}  // namespace fi
