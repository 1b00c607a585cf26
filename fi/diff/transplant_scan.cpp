#include "fi/diff/transplant_scan.h"

#include <algorithm>
#include <numeric>

namespace fi {
namespace {

constexpr int64_t kGridSteps = 6;
constexpr double kSmallestGap = 0.05;  // nats a token: below it a share has no meaning

double mean_of(const std::vector<double>& values) {
  return values.empty() ? 0.0 : std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

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

std::vector<double> answer_log_probabilities(const Decoder& model, const std::vector<TracedText>& texts) {
  std::vector<TokenIds> sequences;
  for (const TracedText& text : texts) sequences.push_back(text.ids);
  const PackedBatch batch = pack(sequences);
  ForwardOptions options;
  options.logit_rows = at::empty({0}, at::kLong);
  const at::Tensor resid = model.forward(batch, options).resid;
  std::vector<double> means;
  for (size_t i = 0; i < texts.size(); ++i) {
    const int64_t first = batch.starts[i] + texts[i].answer_start - 1;
    const int64_t count = batch.starts[i + 1] - 1 - first;
    std::vector<int64_t> next(batch.ids.begin() + first + 1, batch.ids.begin() + first + 1 + count);
    const at::Tensor chosen = at::tensor(at::ArrayRef<int64_t>(next), at::kLong).to(resid.device()).unsqueeze(1);
    const at::Tensor log_probabilities = model.unembed(resid.narrow(0, first, count)).log_softmax(-1);
    means.push_back(log_probabilities.gather(1, chosen).mean(at::kDouble).item<double>());
  }
  return means;
}

TransplantScan scan_transplants(const Decoder& base, const Decoder& target, const std::vector<TracedText>& all_texts,
                                ProgressSink& sink) {
  std::vector<TracedText> texts;
  for (const TracedText& text : all_texts) {
    if (text.answer_start > 0 && static_cast<int64_t>(text.ids.size()) > text.answer_start) texts.push_back(text);
  }
  TransplantScan scan;
  if (texts.empty()) return scan;
  const std::vector<double> low = answer_log_probabilities(base, texts);
  const std::vector<double> high = answer_log_probabilities(target, texts);
  scan.gap = mean_of(high) - mean_of(low);
  const auto ranges = grid_ranges(base.config().num_layers);
  StageProgress progress(sink, "block transplants", static_cast<int64_t>(ranges.size()), "ranges");
  for (const auto& [first, last] : ranges) {
    // Short ranges are all tried before a longer one, so that the best of the shortest sufficient width wins.
    if (scan.first != scan.last && last - first > scan.last - scan.first) break;
    check_interrupt();
    const std::vector<double> got = answer_log_probabilities(transplant(base, target, first, last), texts);
    TransplantEffect effect{.first = first, .last = last};
    for (size_t i = 0; i < texts.size(); ++i) {
      if (high[i] - low[i] > kSmallestGap) effect.share_by_text.push_back((got[i] - low[i]) / (high[i] - low[i]));
    }
    effect.share = mean_of(effect.share_by_text);
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
