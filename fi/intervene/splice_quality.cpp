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
            int64_t layer)
      : models_{&base, &target},
        layers_{matched_layer(layer, base.config().num_layers, target.config().num_layers), layer},
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
    at::Tensor streams[2];
    for (size_t m = 0; m < 2; ++m) streams[m] = residual_streams(*models_[m], batch.packed.batch, layers_[m]).back();
    const at::Tensor rows = pair_rows(rows_of(streams[0], batch), rows_of(streams[1], batch));
    std::vector<at::Tensor> replaced;
    for (const auto& [name, replace] : replacements_) replaced.push_back(replace(rows));
    for (size_t m = 0; m < 2; ++m) add_model(m, batch, streams[m], replaced);
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
  static at::Tensor rows_of(const at::Tensor& stream, const SpliceBatch& batch) {
    return stream.index_select(0, batch.replaced.to(stream.device())).to(at::kCPU, at::kFloat);
  }

  void add_model(size_t m, const SpliceBatch& batch, const at::Tensor& stream, const std::vector<at::Tensor>& replaced) {
    const at::Tensor untouched = go_on(m, batch, stream);
    std::vector<at::Tensor> spliced;
    for (const at::Tensor& rows : replaced) {
      const at::Tensor own =
          rows.select(1, static_cast<int64_t>(m)).narrow(1, 0, stream.size(1)).to(stream.device(), stream.scalar_type());
      spliced.push_back(go_on(m, batch, stream.index_copy(0, batch.replaced.to(stream.device()), own)));
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

  // The last residual stream at the rows that predict, when the model goes on after the layer with `stream`.
  at::Tensor go_on(size_t m, const SpliceBatch& batch, const at::Tensor& stream) const {
    return continue_after(*models_[m], batch.packed.batch, layers_[m], stream)
        .index_select(0, batch.predicting.to(stream.device()));
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
  int64_t layers_[2];
  const std::vector<std::pair<std::string, RowReplacement>>& replacements_;
  SpliceSums sums_[2];
  int64_t num_rows_ = 0;
  int64_t num_answers_ = 0;
};

void check_splice(const Decoder& base, const Decoder& target, const std::vector<TracedText>& texts, int64_t layer) {
  const ModelConfig &a = base.config(), &b = target.config();
  check(a.vocab_size == b.vocab_size, ErrorCode::kIncompatible,
        "[splice] base has {} tokens, target {}; rows of both need the same token ids.", a.vocab_size, b.vocab_size);
  check(layer >= 0 && layer < b.num_layers, ErrorCode::kIncompatible, "[splice] layer is {}, the target has 0 to {}.", layer,
        b.num_layers - 1);
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
  check_splice(base, target, texts, options.layer);
  std::vector<std::pair<std::string, RowReplacement>> all = {
      {"zeros", [](const at::Tensor& rows) { return at::zeros_like(rows); }},
      {"mean", [&](const at::Tensor& rows) { return options.mean.expand_as(rows); }}};
  all.insert(all.end(), replacements.begin(), replacements.end());
  SpliceRun run(base, target, all, options.layer);
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
