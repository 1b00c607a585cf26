#include "fi/intervene/splice_quality.h"

#include <algorithm>
#include <limits>

#include "fi/activations/row_source.h"
#include "fi/capture/matched_layer.h"
#include "fi/core/error.h"
#include "fi/diff/token_kl.h"

namespace fi {
namespace {

constexpr size_t kZeros = 0, kMean = 1;

/// Sums over answer tokens of one model.
struct SpliceSums {
  double untouched_loss = 0.0;
  std::vector<double> loss, kl;  // by replacement
};

/// A batch of texts with the rows to replace and the rows whose predictions are looked at.
struct SpliceBatch {
  PackedTexts packed;
  at::Tensor replaced;    // [n] int64 rows of the batch
  at::Tensor predicting;  // [a] int64
  at::Tensor answer_ids;  // [a] int64
};

at::Tensor long_tensor(const std::vector<int64_t>& values) { return at::tensor(at::ArrayRef<int64_t>(values), at::kLong); }

// `next` goes through the places, text by text; `first_text` is the batch's first.
SpliceBatch splice_batch(const std::vector<TracedText>& texts, int64_t first_text, std::span<const SplicePlace> places,
                         size_t& next) {
  SpliceBatch batch{.packed = pack_texts(texts)};
  std::vector<int64_t> replaced, predicting, answers;
  for (size_t i = 0; i < texts.size(); ++i) {
    const int64_t start = batch.packed.batch.starts[i];
    int64_t first_replaced = -1;
    for (; next < places.size() && places[next].text == first_text + static_cast<int64_t>(i); ++next) {
      const int64_t row = start + places[next].position;
      check(places[next].position >= 0 && row < batch.packed.batch.starts[i + 1], ErrorCode::kIncompatible,
            "[splice] text {} has no token at position {}; use rows and texts of one capture.", places[next].text,
            places[next].position);
      if (first_replaced < 0) first_replaced = row;
      replaced.push_back(row);
    }
    if (first_replaced < 0) continue;
    for (int64_t p = batch.packed.text_starts[i]; p < batch.packed.text_starts[i + 1]; ++p) {
      const int64_t row = batch.packed.predicting[p].item<int64_t>();
      if (row < first_replaced) continue;
      predicting.push_back(row);
      answers.push_back(batch.packed.answer_ids[p].item<int64_t>());
    }
  }
  batch.replaced = long_tensor(replaced);
  batch.predicting = long_tensor(predicting);
  batch.answer_ids = long_tensor(answers);
  return batch;
}

class SpliceRun {
 public:
  SpliceRun(const Decoder& base, const Decoder& target, const std::vector<std::pair<std::string, RowReplacement>>& replacements,
            const LayerGroup& layers)
      : models_{&base, &target},
        layers_{matched_layers(layers, base.config().num_layers, target.config().num_layers), layers},
        replacements_(replacements) {
    for (SpliceSums& sums : sums_) {
      sums.loss.assign(replacements.size(), 0.0);
      sums.kl.assign(replacements.size(), 0.0);
    }
  }

  void add(const SpliceBatch& batch) {
    if (batch.predicting.numel() == 0) return;
    num_rows_ += batch.replaced.numel();
    num_answers_ += batch.predicting.numel();
    std::vector<at::Tensor> first_streams, rows;
    for (size_t m = 0; m < 2; ++m) {
      const std::vector<at::Tensor> streams = residuals_after(*models_[m], batch.packed.batch, layers_[m]);
      first_streams.push_back(streams.front());
      for (const at::Tensor& stream : streams) rows.push_back(stream.index_select(0, batch.replaced));
    }
    std::vector<at::Tensor> replaced;
    for (const auto& [name, replace] : replacements_) replaced.push_back(replace(stack_rows(rows)));
    for (size_t m = 0; m < 2; ++m) add_model(m, batch, first_streams[m], replaced);
  }

  SpliceReport report(int64_t num_texts) const {
    if (num_answers_ == 0) return {.num_texts = num_texts};
    const auto n = static_cast<double>(num_answers_);
    SpliceReport report{.num_texts = num_texts,
                        .num_rows = num_rows_,
                        .num_answers = num_answers_,
                        .base_loss = sums_[0].untouched_loss / n,
                        .target_loss = sums_[1].untouched_loss / n};
    for (size_t i = 0; i < replacements_.size(); ++i)
      report.replacements.push_back({replacements_[i].first, effect(sums_[0], i), effect(sums_[1], i)});
    return report;
  }

 private:
  void add_model(size_t m, const SpliceBatch& batch, const at::Tensor& stream, const std::vector<at::Tensor>& replaced) {
    const at::Tensor untouched = go_on(m, batch, stream, {});
    const auto num_layers = static_cast<int64_t>(layers_[m].size());
    std::vector<at::Tensor> spliced;
    for (const at::Tensor& rows : replaced) {
      const at::Tensor own = rows.narrow(1, static_cast<int64_t>(m) * num_layers, num_layers).narrow(2, 0, stream.size(1));
      spliced.push_back(go_on(m, batch, stream, own));
    }
    // Logits of all replacements of a few rows at a time: a whole batch of them would take gigabytes.
    for (int64_t first = 0; first < untouched.size(0); first += kLogitRows)
      add_rows(m, batch, first, std::min(kLogitRows, untouched.size(0) - first), untouched, spliced);
  }

  void add_rows(size_t m, const SpliceBatch& batch, int64_t first, int64_t count, const at::Tensor& untouched,
                const std::vector<at::Tensor>& spliced) {
    const at::Tensor answers = batch.answer_ids.narrow(0, first, count).unsqueeze(1).to(untouched.device());
    const at::Tensor expected = models_[m]->unembed(untouched.narrow(0, first, count)).log_softmax(-1);
    const auto loss = [&](const at::Tensor& log_probabilities) {
      return -log_probabilities.gather(1, answers).sum(at::kDouble).item<double>();
    };
    sums_[m].untouched_loss += loss(expected);
    for (size_t i = 0; i < spliced.size(); ++i) {
      const at::Tensor got = models_[m]->unembed(spliced[i].narrow(0, first, count)).log_softmax(-1);
      sums_[m].loss[i] += loss(got);
      sums_[m].kl[i] += kl_of_rows(expected, got).sum().item<double>();
    }
  }

  // The last residual stream at the rows that predict, when the model goes on after the first layer with `stream` and, after each
  // of the layers, with `own` [n, num_layers, d_model] in place of the replaced rows; undefined: nothing is replaced.
  at::Tensor go_on(size_t m, const SpliceBatch& batch, const at::Tensor& stream, const at::Tensor& own) const {
    const LayerGroup& layers = layers_[m];
    const at::Device device = models_[m]->device();
    const at::Tensor replaced = batch.replaced.to(device);
    const auto splice = [&](int64_t layer, const at::Tensor& resid) {
      const auto at = std::find(layers.begin(), layers.end(), layer);
      if (!own.defined() || at == layers.end()) return resid;
      return resid.index_copy(0, replaced, own.select(1, at - layers.begin()).to(device, resid.scalar_type()));
    };
    const at::Tensor spliced = splice(layers.front(), stream.to(device));
    return continue_after(*models_[m], batch.packed.batch, layers.front(), spliced, splice)
        .index_select(0, batch.predicting.to(device));
  }

  SpliceEffect effect(const SpliceSums& sums, size_t i) const {
    const auto n = static_cast<double>(num_answers_);
    const auto recovered = [&](size_t baseline) {
      const double lost = sums.loss[baseline] - sums.untouched_loss;
      return lost <= 0.0 ? std::numeric_limits<double>::quiet_NaN() : 1.0 - (sums.loss[i] - sums.untouched_loss) / lost;
    };
    return {.kl = sums.kl[i] / n,
            .loss = sums.loss[i] / n,
            .loss_recovered = recovered(kZeros),
            .loss_recovered_mean = recovered(kMean)};
  }

  const Decoder* models_[2];
  LayerGroup layers_[2];
  const std::vector<std::pair<std::string, RowReplacement>>& replacements_;
  SpliceSums sums_[2];
  int64_t num_rows_ = 0;
  int64_t num_answers_ = 0;
};

void check_splice(const Decoder& base, const Decoder& target, const std::vector<TracedText>& texts, const LayerGroup& layers) {
  const ModelConfig &a = base.config(), &b = target.config();
  check(a.vocab_size == b.vocab_size, ErrorCode::kIncompatible,
        "[splice] base has {} tokens, target {}; rows of both need the same token ids.", a.vocab_size, b.vocab_size);
  invariant(!layers.empty() && std::is_sorted(layers.begin(), layers.end()), "layers are there and ascending");
  check(layers.front() >= 0 && layers.back() < b.num_layers, ErrorCode::kIncompatible,
        "[splice] layer is {}, the target has 0 to {}.", group_text(layers), b.num_layers - 1);
  for (const TracedText& text : texts) {
    for (const int32_t id : text.ids) {
      check(id >= 0 && id < a.vocab_size, ErrorCode::kIncompatible,
            "[splice] the texts have id {}, the models {} tokens; name the models that the rows are of.", id, a.vocab_size);
    }
  }
}

}  // namespace

SpliceReport splice_quality(const Decoder& base, const Decoder& target, const std::vector<TracedText>& texts,
                            std::span<const SplicePlace> places,
                            const std::vector<std::pair<std::string, RowReplacement>>& replacements, const SpliceOptions& options,
                            ProgressSink& sink) {
  check_splice(base, target, texts, options.layers);
  std::vector<std::pair<std::string, RowReplacement>> all = {
      {"zeros", [](const at::Tensor& rows) { return at::zeros_like(rows); }},
      {"mean", [&](const at::Tensor& rows) { return options.mean.expand_as(rows); }}};
  all.insert(all.end(), replacements.begin(), replacements.end());
  SpliceRun run(base, target, all, options.layers);
  StageProgress progress(sink, "spliced quality", static_cast<int64_t>(texts.size()), "texts");
  int64_t first_text = 0;
  size_t next = 0;
  for (const std::vector<TracedText>& batch : in_batches(texts, kTraceTokens)) {
    check_interrupt();
    run.add(splice_batch(batch, first_text, places, next));
    first_text += static_cast<int64_t>(batch.size());
    progress.advance(static_cast<int64_t>(batch.size()));
  }
  return run.report(first_text);
}

}  // namespace fi
