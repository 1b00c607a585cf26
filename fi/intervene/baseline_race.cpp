#include "fi/intervene/baseline_race.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "fi/core/error.h"
#include "fi/diff/target_predictions.h"

namespace fi {
namespace {

constexpr double kSmallestRaceKl = 1e-3;  // nats a token: below it a share has no meaning
constexpr int64_t kLastPromptRows = 6;    // what both models have read of a prompt is gathered there

/// Both models' residual stream after the layer, for one set of texts.
struct LayerRows {
  PackedTexts texts;
  at::Tensor base, target;  // [num_tokens, d_model]
};

LayerRows rows_after(const Decoder& base, const Decoder& target, int64_t layer, const std::vector<TracedText>& texts) {
  LayerRows rows{.texts = pack_texts(texts)};
  rows.base = residual_streams(base, rows.texts.batch, layer).back();
  rows.target = residual_streams(target, rows.texts.batch, layer).back();
  return rows;
}

// Mean norm of the difference inside the subspace over each prompt's last rows. The answer is left out: it shows by itself which
// model wrote it.
std::vector<double> sizes_on_prompts(const LayerRows& rows, const std::vector<TracedText>& texts, const Subspace& subspace) {
  const at::Tensor norms = at::matmul(rows.target - rows.base, subspace.basis).norm(2, 1).cpu();
  std::vector<double> sizes;
  for (size_t i = 0; i < texts.size(); ++i) {
    const int64_t count = std::min(kLastPromptRows, texts[i].answer_start);
    if (count == 0) continue;
    const int64_t end = rows.texts.batch.starts[i] + texts[i].answer_start;
    sizes.push_back(norms.narrow(0, end - count, count).mean().item<double>());
  }
  return sizes;
}

double removed(const std::vector<double>& before, const std::vector<double>& after) { return 1.0 - mean(after) / mean(before); }

// A ratio of two means, linearised: each text counts by how far it is from having the share of all, so that texts with much to
// remove do not by themselves make the share uncertain.
Interval interval_of_share(const std::vector<double>& before, const std::vector<double>& after, uint64_t seed) {
  const double share = removed(before, after);
  std::vector<double> parts;
  for (size_t i = 0; i < before.size(); ++i) parts.push_back(share + ((1.0 - share) * before[i] - after[i]) / mean(before));
  std::vector<int64_t> texts(parts.size());
  std::iota(texts.begin(), texts.end(), int64_t{0});
  return bootstrap_mean(parts, texts, seed);
}

}  // namespace

double area_under_curve(const std::vector<double>& positive, const std::vector<double>& negative) {
  return 0.5 * (1.0 + cliffs_delta(negative, positive));
}

std::vector<RaceRow> race_subspaces(const Decoder& base, const Decoder& target, int64_t layer,
                                    const std::vector<Contestant>& contestants, const RaceTexts& texts, uint64_t seed,
                                    ProgressSink& sink) {
  check(!texts.trigger.empty(), ErrorCode::kUsage, "[baselines] there is no text to race on.");
  const LayerRows trigger = rows_after(base, target, layer, texts.trigger);
  const TargetPredictions predictions(target, trigger.texts);
  const auto kl_after = [&](const at::Tensor& rows) {
    return means_by_text(trigger.texts, predictions.kl_to(base, continue_after(base, trigger.texts.batch, layer, rows)));
  };
  const std::vector<double> before = kl_after(trigger.base);
  if (mean(before) < kSmallestRaceKl) return {};
  std::optional<LayerRows> elsewhere;
  if (!texts.elsewhere.empty()) elsewhere = rows_after(base, target, layer, texts.elsewhere);
  StageProgress progress(sink, "baselines", static_cast<int64_t>(contestants.size()), "methods");
  std::vector<RaceRow> result;
  for (const Contestant& contestant : contestants) {
    check_interrupt();
    const std::vector<double> after = kl_after(exchange_inside(trigger.base, trigger.target, contestant.subspace));
    RaceRow row{.method = contestant.method,
                .num_directions = contestant.subspace.basis.size(1),
                .kl_removed = removed(before, after),
                .interval = interval_of_share(before, after, seed)};
    if (elsewhere)
      row.discrimination = area_under_curve(sizes_on_prompts(trigger, texts.trigger, contestant.subspace),
                                            sizes_on_prompts(*elsewhere, texts.elsewhere, contestant.subspace));
    result.push_back(std::move(row));
    progress.advance(1, contestant.method);
  }
  return result;
}

}  // namespace fi
