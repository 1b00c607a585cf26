#include "fi/diff/target_predictions.h"

#include <algorithm>

#include "fi/diff/token_kl.h"

namespace fi {

TargetPredictions::TargetPredictions(const Decoder& target, const PackedTexts& texts)
    : rows_(texts.predicting.to(target.device())),
      log_probabilities_(target.unembed(residual_streams(target, texts.batch).back().index_select(0, rows_)).log_softmax(-1)) {}

at::Tensor TargetPredictions::kl_to(const Decoder& model, const at::Tensor& final_resid) const {
  at::Tensor kl = at::empty({rows_.size(0)}, at::kDouble);
  for (int64_t first = 0; first < rows_.size(0); first += kLogitRows) {
    const int64_t count = std::min(kLogitRows, rows_.size(0) - first);
    const at::Tensor other = model.unembed(final_resid.index_select(0, rows_.narrow(0, first, count))).log_softmax(-1);
    const at::Tensor own = log_probabilities_.narrow(0, first, count);
    kl.narrow(0, first, count).copy_(kl_of_rows(own, other));
  }
  return kl;
}

}  // namespace fi
