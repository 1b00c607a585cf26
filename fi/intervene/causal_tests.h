#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "fi/capture/traced_text.h"
#include "fi/core/progress.h"
#include "fi/core/statistics.h"
#include "fi/intervene/subspace.h"

namespace fi {

/// One intervention beside its controls. Effects are per text and have no unit: shares of the gap between base and target in the
/// mean log-probability of the text's answer.
struct CausalEffect {
  std::vector<double> by_text;         // of the subspace of the difference
  std::vector<double> random_by_text;  // mean over random subspaces of the same rank
  std::vector<double> own_by_text;     // of the subspace in which the base's own rows are largest, of the same rank
  double effect = 0.0;                 // mean over texts
  double random_control = 0.0;
  double own_control = 0.0;
  Interval interval;    // 95% of the effect, resampling texts
  Interval margin;      // 95% of effect - the larger control
  bool passed = false;  // the margin lies above 0 and the effect is at least kSmallestEffect

  double control() const { return std::max(random_control, own_control); }
};

/// A share of the gap below this is no effect worth the name, however certain.
inline constexpr double kSmallestEffect = 0.2;
/// What a change may do to answers that it is not about, as a share of the gap on those that it is about.
inline constexpr double kLargestSideEffect = 0.25;

/// Causal evidence that a subspace after one layer carries a change.
struct CausalReport {
  int64_t layer = 0;  // the residual stream after it
  int64_t rank = 0;
  double gap = 0.0;          // mean log-probability of the answers, target less base, nats a token
  CausalEffect sufficiency;  // base given the target's values inside the subspace: share of the gap closed
  CausalEffect necessity;    // target given the base's values there: share of the gap lost
  /// Base with the same exchange on texts of other kinds with the base's own answers: log-probability lost, in gaps. Passed if
  /// the interval of its mean lies below kLargestSideEffect; its controls are the random subspaces.
  CausalEffect specificity;
  std::vector<double> sufficiency_by_layer;  // on `fit`: what the layer was chosen by, one value per entry of `layers_tried`
  std::vector<int64_t> layers_tried;
  Subspace subspace;  // that was exchanged
  at::Tensor step;    // [d_model] mean difference, target - base, of the rows near answers of `fit`, inside the subspace
};

struct CausalTexts {
  std::vector<TracedText> fit;        // discovery prompts with the target's answers: subspace and layer come from them
  std::vector<TracedText> test;       // confirmation prompts with the target's answers
  std::vector<TracedText> elsewhere;  // prompts of other kinds with the base's answers
};

/// The rows of a batch that predict an answer and the last rows of its prompt, [n] int64: there a change of behaviour has to be.
at::Tensor rows_near_answers(const PackedTexts& texts);

struct CausalOptions {
  int64_t rank = 32;
  int64_t num_random = 3;
  int64_t num_layers_tried = 5;
  uint64_t seed = 0;
};

/// Tests necessity, sufficiency and specificity of the subspace in which the models differ most (docs/causal.md says why
/// subspaces and not single directions). Texts whose gap is under 0.05 nats a token are left out; nothing passes with fewer than
/// four. kIncompatible unless the models have equal shapes.
CausalReport test_causes(const Decoder& base, const Decoder& target, const CausalTexts& texts, const CausalOptions& options,
                         ProgressSink& progress);

}  // namespace fi
