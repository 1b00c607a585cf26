#include "fi/diff/token_kl.h"

#include <ATen/Parallel.h>

#include <algorithm>

#include "fi/core/error.h"
#include "fi/diff/kl_kernel.h"

namespace fi {
namespace {

at::Tensor last_resid(const Decoder& model, const PackedBatch& batch) {
  ForwardOptions options;
  options.logit_rows = at::empty({0}, at::kLong);
  return model.forward(batch, options).resid;
}

}  // namespace

at::Tensor kl_of_rows(const at::Tensor& log_p, const at::Tensor& log_q) {
  if (!log_p.is_cpu() || !log_q.is_cpu())
    return log_p.exp().mul_(log_p - log_q).sum(at::IntArrayRef{-1}, /*keepdim=*/false, at::kDouble).cpu();
  const at::Tensor p = log_p.contiguous(), q = log_q.contiguous();
  const int64_t width = p.size(1);
  at::Tensor kl = at::empty({p.size(0)}, at::kDouble);
  at::parallel_for(0, p.size(0), 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row)
      kl.mutable_data_ptr<double>()[row] =
          kl_of_row(width, p.const_data_ptr<float>() + row * width, q.const_data_ptr<float>() + row * width);
  });
  return kl;
}

at::Tensor kl_of_predictions(const Decoder& base, const Decoder& target, const PackedTexts& texts, const at::Tensor& base_resid,
                             const at::Tensor& target_resid) {
  const at::Tensor rows = texts.predicting.to(base_resid.device());
  at::Tensor kl = at::empty({rows.size(0)}, at::kDouble);
  for (int64_t first = 0; first < rows.size(0); first += kLogitRows) {
    const int64_t count = std::min(kLogitRows, rows.size(0) - first);
    const at::Tensor part = rows.narrow(0, first, count);
    const at::Tensor q = base.unembed(base_resid.index_select(0, part)).log_softmax(-1);
    const at::Tensor p = target.unembed(target_resid.index_select(0, part)).log_softmax(-1);
    kl.narrow(0, first, count).copy_(kl_of_rows(p, q));
  }
  return kl;
}

std::vector<std::vector<double>> token_kl(const Decoder& base, const Decoder& target, const std::vector<TracedText>& texts,
                                          ProgressSink& sink) {
  StageProgress progress(sink, "token KL", static_cast<int64_t>(texts.size()), "texts");
  std::vector<std::vector<double>> result;
  for (const std::vector<TracedText>& batch : in_batches(texts, kTraceTokens)) {
    check_interrupt();
    const PackedTexts packed = pack_texts(batch);
    const at::Tensor kl =
        kl_of_predictions(base, target, packed, last_resid(base, packed.batch), last_resid(target, packed.batch));
    const double* values = kl.const_data_ptr<double>();
    for (size_t i = 0; i < batch.size(); ++i)
      result.emplace_back(values + packed.text_starts[i], values + packed.text_starts[i + 1]);
    progress.advance(static_cast<int64_t>(batch.size()));
  }
  return result;
}

}  // namespace fi
