#include "fi/diff/layer_patching.h"

#include <algorithm>

#include "fi/core/statistics.h"

namespace fi {
namespace {

constexpr int64_t kPatchTokens = 768;
constexpr double kSmallestKl = 1e-3;  // nats a token: below it a share has no meaning

/// KL(target || other) of each predicting row, with the target's log-probabilities computed once a batch.
class TargetPredictions {
 public:
  TargetPredictions(const Decoder& target, const PackedTexts& texts)
      : rows_(texts.predicting.to(target.device())),
        log_probabilities_(predict(target, residual_streams(target, texts.batch).back())) {}

  at::Tensor kl_to(const Decoder& model, const at::Tensor& final_resid) const {
    at::Tensor kl = at::empty({rows_.size(0)}, at::kFloat);
    for (int64_t first = 0; first < rows_.size(0); first += kLogitRows) {
      const int64_t count = std::min(kLogitRows, rows_.size(0) - first);
      const at::Tensor other = model.unembed(final_resid.index_select(0, rows_.narrow(0, first, count))).log_softmax(-1);
      const at::Tensor own = log_probabilities_.narrow(0, first, count);
      kl.narrow(0, first, count).copy_(own.exp().mul_(own - other).sum(-1));
    }
    return kl;
  }

 private:
  at::Tensor predict(const Decoder& target, const at::Tensor& final_resid) const {
    return target.unembed(final_resid.index_select(0, rows_)).log_softmax(-1);
  }

  at::Tensor rows_;
  at::Tensor log_probabilities_;  // [n, vocab_size]
};

}  // namespace

LayerPatching patch_layers(const Decoder& base, const Decoder& target, const std::vector<TracedText>& all_texts,
                           ProgressSink& sink) {
  const auto num_layers = static_cast<size_t>(base.config().num_layers);
  const auto batches = in_batches(all_texts, kPatchTokens);
  std::vector<double> base_kl;
  std::vector<std::vector<double>> patched_kl(num_layers);
  StageProgress progress(sink, "layer patching", static_cast<int64_t>(batches.size() * num_layers), "layers");
  for (const std::vector<TracedText>& batch : batches) {
    const PackedTexts texts = pack_texts(batch);
    const TargetPredictions predictions(target, texts);
    const std::vector<at::Tensor> streams = residual_streams(base, texts.batch);
    const auto append = [&](std::vector<double>& all, const at::Tensor& resid) {
      const std::vector<double> means = means_by_text(texts, predictions.kl_to(base, resid));
      all.insert(all.end(), means.begin(), means.end());
    };
    append(base_kl, streams.back());
    for (size_t layer = 0; layer < num_layers; ++layer) {
      check_interrupt();
      const auto l = static_cast<int64_t>(layer);
      append(patched_kl[layer], with_blocks_of(base, target, texts.batch, {l, l + 1}, streams));
      progress.advance(1);
    }
  }
  LayerPatching result{.kl = mean(base_kl)};
  for (const std::vector<double>& kl : patched_kl)
    result.recovered.push_back(result.kl > kSmallestKl ? 1.0 - mean(kl) / result.kl : 0.0);
  return result;
}

}  // namespace fi
