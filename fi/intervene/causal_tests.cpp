#include "fi/intervene/causal_tests.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "fi/core/error.h"
#include "fi/core/random.h"
#include "fi/intervene/subspace.h"

namespace fi {
namespace {

constexpr size_t kFewestTexts = 4;  // with fewer, resampling texts says nothing
constexpr int64_t kPromptRows = 6;  // last rows of the prompt that the subspace is taken from, beside the answer's

/// Both models' residual streams and log-probabilities over one set of texts.
struct Traces {
  PackedTexts texts;
  std::vector<at::Tensor> base, target;        // [num_layers] of [num_tokens, d_model]
  std::vector<double> base_mean, target_mean;  // mean log-probability of each text's answer
};

Traces trace(const Decoder& base, const Decoder& target, const std::vector<TracedText>& texts) {
  Traces traces{.texts = pack_texts(texts)};
  traces.base = residual_streams(base, traces.texts.batch);
  traces.target = residual_streams(target, traces.texts.batch);
  traces.base_mean = means_by_text(traces.texts, answer_log_probabilities(base, traces.texts, traces.base.back()));
  traces.target_mean = means_by_text(traces.texts, answer_log_probabilities(target, traces.texts, traces.target.back()));
  return traces;
}

/// Mean log-probability of each text's answer when `model` goes on after `layer` with its rows exchanged inside the subspace.
std::vector<double> exchanged(const Decoder& model, const PackedTexts& texts, int64_t layer, const at::Tensor& rows,
                              const at::Tensor& source, const Subspace& subspace) {
  const at::Tensor resid = continue_after(model, texts.batch, layer, exchange_inside(rows, source, subspace));
  return means_by_text(texts, answer_log_probabilities(model, texts, resid));
}

/// The subspaces of one test: the one in question and its controls.
struct Subspaces {
  Subspace difference;
  Subspace own;  // in which the base's own rows are largest
  std::vector<Subspace> random;
};

/// What one of the models makes of the texts.
struct Side {
  const std::vector<at::Tensor>& streams;
  const std::vector<double>& means;
};

class CausalTester {
 public:
  CausalTester(const Decoder& base, const Decoder& target, const CausalOptions& options)
      : base_(base), target_(target), options_(options) {}

  CausalReport run(const CausalTexts& texts, ProgressSink& sink) {
    StageProgress progress(sink, "causal tests", 4, "steps");
    const Traces fit = trace(base_, target_, texts.fit);
    near_ = rows_near_answers(fit.texts).to(base_.device());
    CausalReport report = choose_layer(fit);
    progress.advance(1);
    const Traces test = trace(base_, target_, texts.test);
    report.gap = mean(test.target_mean) - mean(test.base_mean);
    const Subspaces subspaces = subspaces_after(report.layer, fit);
    report.subspace = subspaces.difference;
    const at::Tensor difference = (near_rows(fit.target, report.layer) - near_rows(fit.base, report.layer)).mean(0);
    report.step = at::mv(report.subspace.basis, at::mv(report.subspace.basis.t(), difference));
    report.sufficiency =
        test_exchange(base_, report.layer, test.texts, subspaces, {test.base, test.base_mean}, {test.target, test.target_mean});
    progress.advance(1);
    report.necessity =
        test_exchange(target_, report.layer, test.texts, subspaces, {test.target, test.target_mean}, {test.base, test.base_mean});
    progress.advance(1);
    if (!texts.elsewhere.empty()) report.specificity = test_elsewhere(report, trace(base_, target_, texts.elsewhere), subspaces);
    progress.advance(1);
    return report;
  }

 private:
  at::Tensor near_rows(const std::vector<at::Tensor>& streams, int64_t layer) const {
    return streams[static_cast<size_t>(layer)].index_select(0, near_);
  }

  Subspace difference_at(const Traces& fit, int64_t layer) const {
    return leading_subspace(near_rows(fit.target, layer) - near_rows(fit.base, layer), options_.rank);
  }

  Subspaces subspaces_after(int64_t layer, const Traces& fit) const {
    Subspaces all{difference_at(fit, layer), leading_subspace(near_rows(fit.base, layer), options_.rank), {}};
    for (int64_t i = 0; i < options_.num_random; ++i) {
      all.random.push_back(random_subspace(base_.config().d_model, options_.rank, options_.seed, static_cast<uint64_t>(i)));
      all.random.back().basis = all.random.back().basis.to(base_.device());
    }
    return all;
  }

  // Where exchanging the subspace closes most beyond what the base's own leading subspace closes; on the texts of `fit` alone.
  CausalReport choose_layer(const Traces& fit) const {
    CausalReport report{.rank = options_.rank};
    const auto closed = [&](int64_t layer, const Subspace& subspace) {
      const auto l = static_cast<size_t>(layer);
      return mean(
          shares(exchanged(base_, fit.texts, layer, fit.base[l], fit.target[l], subspace), fit.base_mean, fit.target_mean));
    };
    std::vector<std::pair<double, int64_t>> order;  // largest effect first
    const int64_t num_layers = base_.config().num_layers;
    for (int64_t i = 1; i <= options_.num_layers_tried; ++i) {
      const int64_t layer = std::min(num_layers - 1, i * num_layers / (options_.num_layers_tried + 1));
      report.layers_tried.push_back(layer);
      report.sufficiency_by_layer.push_back(closed(layer, difference_at(fit, layer)));
      order.emplace_back(-report.sufficiency_by_layer.back(), layer);
    }
    std::sort(order.begin(), order.end());
    double best = -std::numeric_limits<double>::infinity();
    for (const auto& [minus_effect, layer] : order) {
      if (-minus_effect <= best) break;  // a control that closes something only makes a margin smaller
      const double own = closed(layer, leading_subspace(near_rows(fit.base, layer), options_.rank));
      const double margin = -minus_effect - std::max(0.0, own);
      if (margin <= best) continue;
      best = margin;
      report.layer = layer;
    }
    return report;
  }

  // (got - from) / (to - from) of each text whose gap has a meaning.
  static std::vector<double> shares(const std::vector<double>& got, const std::vector<double>& from,
                                    const std::vector<double>& to) {
    std::vector<double> result;
    for (size_t i = 0; i < got.size(); ++i) {
      const double gap = to[i] - from[i];
      if (std::abs(gap) > kSmallestGap) result.push_back((got[i] - from[i]) / gap);
    }
    return result;
  }

  CausalEffect test_exchange(const Decoder& model, int64_t layer, const PackedTexts& texts, const Subspaces& subspaces,
                             const Side& own, const Side& other) const {
    const auto l = static_cast<size_t>(layer);
    const auto moved = [&](const Subspace& subspace) {
      return shares(exchanged(model, texts, layer, own.streams[l], other.streams[l], subspace), own.means, other.means);
    };
    CausalEffect effect{.by_text = moved(subspaces.difference), .own_by_text = moved(subspaces.own)};
    effect.random_by_text = mean_over(subspaces.random, moved);
    summarise(effect);
    effect.passed = effect.by_text.size() >= kFewestTexts && effect.effect >= kSmallestEffect && effect.margin.low > 0.0;
    return effect;
  }

  CausalEffect test_elsewhere(const CausalReport& report, const Traces& elsewhere, const Subspaces& subspaces) const {
    const auto l = static_cast<size_t>(report.layer);
    const double gap = std::max(report.gap, kSmallestGap);
    const auto lost = [&](const Subspace& subspace) {
      std::vector<double> values =
          exchanged(base_, elsewhere.texts, report.layer, elsewhere.base[l], elsewhere.target[l], subspace);
      for (size_t i = 0; i < values.size(); ++i) values[i] = (elsewhere.base_mean[i] - values[i]) / gap;
      return values;
    };
    CausalEffect effect{.by_text = lost(subspaces.difference), .own_by_text = lost(subspaces.own)};
    effect.random_by_text = mean_over(subspaces.random, lost);
    summarise(effect);
    effect.passed = effect.by_text.size() >= kFewestTexts && effect.interval.high < kLargestSideEffect;
    return effect;
  }

  template <typename Measure>
  static std::vector<double> mean_over(const std::vector<Subspace>& subspaces, const Measure& measure) {
    std::vector<double> sum;
    for (const Subspace& subspace : subspaces) {
      const std::vector<double> values = measure(subspace);
      sum.resize(values.size());
      for (size_t i = 0; i < values.size(); ++i) sum[i] += values[i] / static_cast<double>(subspaces.size());
    }
    return sum;
  }

  Interval interval_of(const std::vector<double>& values) const {
    if (values.empty()) return {};
    std::vector<int64_t> texts(values.size());
    std::iota(texts.begin(), texts.end(), int64_t{0});
    return bootstrap_mean(values, texts, options_.seed);
  }

  void summarise(CausalEffect& effect) const {
    effect.effect = mean(effect.by_text);
    effect.random_control = mean(effect.random_by_text);
    effect.own_control = mean(effect.own_by_text);
    const std::vector<double>& harder = effect.own_control >= effect.random_control ? effect.own_by_text : effect.random_by_text;
    std::vector<double> margins = effect.by_text;
    for (size_t i = 0; i < margins.size(); ++i) margins[i] -= i < harder.size() ? harder[i] : 0.0;
    effect.interval = interval_of(effect.by_text);
    effect.margin = interval_of(margins);
  }

  const Decoder& base_;
  const Decoder& target_;
  const CausalOptions& options_;
  at::Tensor near_;
};

}  // namespace

at::Tensor rows_near_answers(const PackedTexts& texts) {
  std::vector<int64_t> rows;
  const int64_t* predicting = texts.predicting.const_data_ptr<int64_t>();
  for (size_t i = 0; i + 1 < texts.text_starts.size(); ++i) {
    if (texts.text_starts[i] == texts.text_starts[i + 1]) continue;
    const int64_t first = predicting[texts.text_starts[i]];
    const int64_t last = predicting[texts.text_starts[i + 1] - 1];
    for (int64_t row = std::max(texts.batch.starts[i] + 1, first - kPromptRows + 1); row <= last; ++row) rows.push_back(row);
  }
  return at::tensor(at::ArrayRef<int64_t>(rows), at::kLong);
}

CausalReport test_causes(const Decoder& base, const Decoder& target, const CausalTexts& texts, const CausalOptions& options,
                         ProgressSink& progress) {
  const ModelConfig& a = base.config();
  const ModelConfig& b = target.config();
  check(a.num_layers == b.num_layers && a.d_model == b.d_model && a.vocab_size == b.vocab_size, ErrorCode::kIncompatible,
        "[causal tests] base has {} layers of width {} and {} tokens, target {} of width {} and {} tokens; only equal shapes can "
        "exchange what they hold.",
        a.num_layers, a.d_model, a.vocab_size, b.num_layers, b.d_model, b.vocab_size);
  check(!texts.fit.empty() && !texts.test.empty(), ErrorCode::kUsage, "[causal tests] there is no text to test on.");
  return CausalTester(base, target, options).run(texts, progress);
}

}  // namespace fi
