#include "fi/diff/transplant_scan.h"

#include <algorithm>

#include "fi/core/statistics.h"

namespace fi {
namespace {

constexpr int64_t kGridSteps = 6;
constexpr double kSmallestGap = 0.05;  // nats a token: below it a share has no meaning

std::vector<std::pair<int64_t, int64_t>> grid_ranges(int64_t num_layers) {
  std::vector<int64_t> cuts;
  for (int64_t i = 0; i <= kGridSteps; ++i) cuts.push_back(i * num_layers / kGridSteps);
  std::vector<std::pair<int64_t, int64_t>> ranges;
  for (size_t width = 1; width < cuts.size(); ++width) {
    for (size_t i = 0; i + width < cuts.size(); ++i) {
      if (cuts[i] < cuts[i + width]) ranges.emplace_back(cuts[i], cuts[i + width]);
    }
  }
  return ranges;
}

}  // namespace

TransplantScan scan_transplants(const Decoder& base, const Decoder& target, const std::vector<TracedText>& all_texts,
                                ProgressSink& sink) {
  std::vector<TracedText> texts;
  for (const TracedText& text : all_texts) {
    if (text.answer_start > 0 && static_cast<int64_t>(text.ids.size()) > text.answer_start) texts.push_back(text);
  }
  TransplantScan scan;
  if (texts.empty()) return scan;
  const PackedTexts packed = pack_texts(texts);
  const auto answer_means = [&](const Decoder& model, const at::Tensor& resid) {
    return means_by_text(packed, answer_log_probabilities(model, packed, resid));
  };
  const std::vector<at::Tensor> base_streams = residual_streams(base, packed.batch);
  const std::vector<double> low = answer_means(base, base_streams.back());
  const std::vector<double> high = answer_means(target, residual_streams(target, packed.batch).back());
  scan.gap = mean(high) - mean(low);
  const auto ranges = grid_ranges(base.config().num_layers);
  StageProgress progress(sink, "block transplants", static_cast<int64_t>(ranges.size()), "ranges");
  for (const auto& [first, last] : ranges) {
    // Short ranges are all tried before a longer one, so that the best of the shortest sufficient width wins.
    if (scan.first != scan.last && last - first > scan.last - scan.first) break;
    check_interrupt();
    const std::vector<double> got = answer_means(base, with_blocks_of(base, target, packed.batch, {first, last}, base_streams));
    TransplantEffect effect{.first = first, .last = last};
    for (size_t i = 0; i < texts.size(); ++i) {
      if (high[i] - low[i] > kSmallestGap) effect.share_by_text.push_back((got[i] - low[i]) / (high[i] - low[i]));
    }
    effect.share = mean(effect.share_by_text);
    const auto best = std::find_if(scan.tried.begin(), scan.tried.end(),
                                   [&](const TransplantEffect& e) { return e.first == scan.first && e.last == scan.last; });
    const bool carries = !effect.share_by_text.empty() && effect.share >= kCarryingShare;
    if (carries && (best == scan.tried.end() || effect.share > best->share)) {
      scan.first = first;
      scan.last = last;
    }
    scan.tried.push_back(std::move(effect));
    progress.advance(1);
  }
  return scan;
}

}  // namespace fi
