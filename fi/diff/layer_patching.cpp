#include "fi/diff/layer_patching.h"

#include <algorithm>

#include "fi/core/statistics.h"
#include "fi/diff/target_predictions.h"

namespace fi {
namespace {

constexpr int64_t kPatchTokens = 768;
constexpr double kSmallestKl = 1e-3;  // nats a token: below it a share has no meaning

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
