#include "fi/intervene/splice_quality.h"

#include <algorithm>
#include <array>
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
  int64_t num_answers = 0;
  double untouched_loss = 0.0;
  std::vector<double> loss, kl;  // by replacement
};

/// A batch of texts as one model reads it, with the rows to replace and the rows whose predictions are looked at.
struct SpliceBatch {
  PackedTexts packed;
  at::Tensor replaced;    // [n] int64 rows of the batch
  at::Tensor predicting;  // [a] int64
  at::Tensor answer_ids;  // [a] int64
};

at::Tensor long_tensor(const std::vector<int64_t>& values) { return at::tensor(at::ArrayRef<int64_t>(values), at::kLong); }

// `positions` are those that are replaced, by text.
SpliceBatch splice_batch(const std::vector<TracedText>& texts, const std::vector<std::vector<int64_t>>& positions) {
  SpliceBatch batch{.packed = pack_texts(texts)};
  std::vector<int64_t> replaced, predicting, answers;
  for (size_t i = 0; i < texts.size(); ++i) {
    if (positions[i].empty()) continue;
    const int64_t start = batch.packed.batch.starts[i], first_replaced = start + positions[i].front();
    for (const int64_t position : positions[i]) replaced.push_back(start + position);
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

using BothReadings = std::array<SpliceBatch, 2>;  // the base's, the target's

// `next` goes through the places, text by text; `first_text` is the batch's first.
BothReadings read_batch(const std::vector<TracedText>& texts, int64_t first_text, std::span<const SplicePlace> places,
                        size_t& next) {
  std::vector<std::vector<int64_t>> base(texts.size()), target(texts.size());
  for (size_t i = 0; i < texts.size(); ++i) {
    for (; next < places.size() && places[next].text == first_text + static_cast<int64_t>(i); ++next) {
      const int64_t position = places[next].position;
      const bool is_there = position >= 0 && position < static_cast<int64_t>(texts[i].ids.size());
      check(is_there && target_position(texts[i], position) >= 0, ErrorCode::kIncompatible,
            "[splice] text {} has no token at position {}, or no partner of it; use rows and texts of one capture.",
            places[next].text, position);
      base[i].push_back(position);
      target[i].push_back(target_position(texts[i], position));
    }
  }
  return {splice_batch(texts, base), splice_batch(as_target_reads(texts), target)};
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

  void add(const BothReadings& batches) {
    if (batches[0].predicting.numel() == 0 || batches[1].predicting.numel() == 0) return;
    num_rows_ += batches[0].replaced.numel();
    std::vector<at::Tensor> first_streams, rows;
    for (size_t m = 0; m < 2; ++m) {
      const std::vector<at::Tensor> streams = residuals_after(*models_[m], batches[m].packed.batch, layers_[m]);
      first_streams.push_back(streams.front());
      for (const at::Tensor& stream : streams) rows.push_back(stream.index_select(0, batches[m].replaced));
    }
    std::vector<at::Tensor> replaced;
    for (const auto& [name, replace] : replacements_) replaced.push_back(replace(stack_rows(rows)));
    for (size_t m = 0; m < 2; ++m) add_model(m, batches[m], first_streams[m], replaced);
  }

  SpliceReport report(int64_t num_texts) const {
    if (sums_[0].num_answers == 0) return {.num_texts = num_texts};
    SpliceReport report{.num_texts = num_texts,
                        .num_rows = num_rows_,
                        .num_answers = sums_[0].num_answers,
                        .base_loss = sums_[0].untouched_loss / static_cast<double>(sums_[0].num_answers),
                        .target_loss = sums_[1].untouched_loss / static_cast<double>(sums_[1].num_answers)};
    for (size_t i = 0; i < replacements_.size(); ++i)
      report.replacements.push_back({replacements_[i].first, effect(sums_[0], i), effect(sums_[1], i)});
    return report;
  }

 private:
  void add_model(size_t m, const SpliceBatch& batch, const at::Tensor& stream, const std::vector<at::Tensor>& replaced) {
    sums_[m].num_answers += batch.predicting.numel();
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
    const auto n = static_cast<double>(sums.num_answers);
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
};

void check_ids(const std::vector<TracedText>& texts, int64_t num_tokens) {
  for (const TracedText& text : texts) {
    for (const int32_t id : text.ids) {
      check(id >= 0 && id < num_tokens, ErrorCode::kIncompatible,
            "[splice] the texts have id {}, a model {} tokens; name the models that the rows are of.", id, num_tokens);
    }
  }
}

void check_splice(const Decoder& base, const Decoder& target, const std::vector<TracedText>& texts, const LayerGroup& layers) {
  const ModelConfig &a = base.config(), &b = target.config();
  const bool have_own_ids =
      std::all_of(texts.begin(), texts.end(), [](const TracedText& text) { return text.target.has_value(); });
  check(a.vocab_size == b.vocab_size || have_own_ids, ErrorCode::kIncompatible,
        "[splice] base has {} tokens, target {}; rows of both need the same token ids.", a.vocab_size, b.vocab_size);
  invariant(!layers.empty() && std::is_sorted(layers.begin(), layers.end()), "layers are there and ascending");
  check(layers.front() >= 0 && layers.back() < b.num_layers, ErrorCode::kIncompatible,
        "[splice] layer is {}, the target has 0 to {}.", group_text(layers), b.num_layers - 1);
  check_ids(texts, a.vocab_size);
  check_ids(as_target_reads(texts), b.vocab_size);
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
    run.add(read_batch(batch, first_text, places, next));
    first_text += static_cast<int64_t>(batch.size());
    progress.advance(static_cast<int64_t>(batch.size()));
  }
  return run.report(first_text);
}

}  // namespace fi
