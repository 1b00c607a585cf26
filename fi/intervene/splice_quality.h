#pragma once

#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "fi/activations/hook_points.h"
#include "fi/capture/traced_text.h"
#include "fi/core/json_fields.h"
#include "fi/core/progress.h"

namespace fi {

/// Which rows of the texts are replaced: those that a dictionary is meant for.
struct SplicePlace {
  int64_t text = 0;      // index into the texts
  int64_t position = 0;  // token position in it, in the base's ids
};

/// Rows of both models [n, 2 * num_layers, d_model] (stack_rows) -> what stands in their place.
using RowReplacement = std::function<at::Tensor(const at::Tensor& rows)>;

/// What a replacement does to one model's answers, token by token.
struct SpliceEffect {
  double kl = 0.0;                   // nats: KL of the model's next-token distribution to that with the rows replaced
  double loss = 0.0;                 // nats: -log p of the answer tokens
  double loss_recovered = 0.0;       // 1 - (loss - untouched) / (zeros - untouched): 1 loses nothing, 0 is as bad as zeros;
                                     // NaN where zeros lose nothing
  double loss_recovered_mean = 0.0;  // the same against each model's mean row in place of zeros
};

template <typename Visit>
void visit_fields(SpliceEffect& e, Visit&& visit) {
  visit("kl", e.kl);
  visit("loss", e.loss);
  visit("loss_recovered", e.loss_recovered);
  visit("loss_recovered_mean", e.loss_recovered_mean);
}

/// One replacement under its name, such as "crosscoder".
struct NamedSplice {
  std::string name;
  SpliceEffect base;
  SpliceEffect target;
};

template <typename Visit>
void visit_fields(NamedSplice& s, Visit&& visit) {
  visit("name", s.name);
  visit("base", s.base);
  visit("target", s.target);
}

struct SpliceReport {
  int64_t num_texts = 0;
  int64_t num_rows = 0;     // replaced
  int64_t num_answers = 0;  // answer tokens that were predicted, in the base's ids
  double base_loss = 0.0;   // nats an answer token, nothing replaced
  double target_loss = 0.0;
  std::vector<NamedSplice> replacements;  // "zeros" and "mean" first, then those that were given
};

template <typename Visit>
void visit_fields(SpliceReport& r, Visit&& visit) {
  visit("num_texts", r.num_texts);
  visit("num_rows", r.num_rows);
  visit("num_answers", r.num_answers);
  visit("base_loss", r.base_loss);
  visit("target_loss", r.target_loss);
  visit("replacements", r.replacements);
}

struct SpliceOptions {
  LayerGroup layers{0};  // of the target: rows are those after these blocks, and after the base's at the same depths
  at::Tensor mean;       // [num_models, d_model] the mean row of each
};

/// Both models read the texts; after each of the layers, their rows at `places` (sorted by text) are replaced by what becomes of
/// the untouched ones, and each model goes on with its own. Effects are means over the answer tokens that are predicted from a
/// replaced row or one after it, each model's own where they read other ids. Memory does not grow with the texts. Without such a
/// token num_answers is 0, and nothing else is there. kIncompatible for models of different vocabularies that read the same ids,
/// or texts of ids that a model does not have.
SpliceReport splice_quality(const Decoder& base, const Decoder& target, const std::vector<TracedText>& texts,
                            std::span<const SplicePlace> places,
                            const std::vector<std::pair<std::string, RowReplacement>>& replacements, const SpliceOptions& options,
                            ProgressSink& progress);

}  // namespace fi
