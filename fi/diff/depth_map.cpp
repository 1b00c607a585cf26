#include "fi/diff/depth_map.h"

#include <algorithm>
#include <cmath>

#include "fi/capture/matched_layer.h"
#include "fi/core/error.h"
#include "fi/diff/kernel_alignment.h"

namespace fi {
namespace {

constexpr size_t kRows = 1000;  // in all: similarities are of their inner products, n x n

at::Tensor index_of(const std::vector<int64_t>& indices) { return at::tensor(at::ArrayRef<int64_t>(indices), at::kLong); }

/// Numbers of the same things in both models: rows of aligned tokens, ids of one string.
struct RowPairs {
  std::vector<int64_t> base, target;

  void add(const AlignedPosition& position) {
    base.push_back(static_cast<int64_t>(position.base));
    target.push_back(static_cast<int64_t>(position.target));
  }
};

// The first token of a sequence draws attention whatever it is.
RowPairs thinned_rows(const AlignedText& text, size_t wanted) {
  RowPairs all, kept;
  for (const AlignedPosition& position : text.positions) {
    if (position.base > 0 && position.target > 0) all.add(position);
  }
  const size_t count = std::min(wanted, all.base.size());
  for (size_t i = 0; i < count; ++i) {
    const size_t chosen = i * all.base.size() / count;
    kept.base.push_back(all.base[chosen]);
    kept.target.push_back(all.target[chosen]);
  }
  return kept;
}

/// The tokens of one model that the other has too, in an order that both share, and all others.
struct Vocabulary {
  at::Tensor common;  // [num_common] int64 ids
  at::Tensor others;  // [vocab_size - num_common]
};

Vocabulary vocabulary_of(const Decoder& model, const std::vector<int64_t>& common) {
  const int64_t size = model.config().vocab_size;
  at::Tensor is_other = at::ones({size}, at::kBool);
  const at::Tensor ids = index_of(common);
  is_other.index_fill_(0, ids, 0);
  return {ids.to(model.device()), is_other.nonzero().squeeze(1).to(model.device())};
}

/// Log-probabilities [n, num_common] of the common tokens; with `and_rest` [n, num_common + 1], the last being all others
/// together.
at::Tensor over_common_tokens(const at::Tensor& logits, const Vocabulary& vocabulary, bool and_rest) {
  const double nothing = std::log(1e-9);
  const at::Tensor all = logits.log_softmax(-1);
  const at::Tensor chosen = all.index_select(1, vocabulary.common);
  if (!and_rest) return chosen;
  if (vocabulary.others.size(0) == 0) return at::cat({chosen, at::full({all.size(0), 1}, nothing, all.options())}, 1);
  return at::cat({chosen, all.index_select(1, vocabulary.others).logsumexp(1, /*keepdim=*/true).clamp_min(nothing)}, 1);
}

class DepthComparison {
 public:
  DepthComparison(const Decoder& base, const Decoder& target, const TokenMap& tokens, size_t rows_of_text)
      : base_(base),
        target_(target),
        rows_of_text_(rows_of_text),
        base_rows_(static_cast<size_t>(target.config().num_layers)),
        target_rows_(base_rows_.size()) {
    // A tokenizer may have ids that its model has no row for.
    RowPairs common;
    for (size_t i = 0; i < tokens.base.size(); ++i) {
      if (tokens.base[i] >= base.config().vocab_size || tokens.target[i] >= target.config().vocab_size) continue;
      common.base.push_back(tokens.base[i]);
      common.target.push_back(tokens.target[i]);
    }
    is_same_ = tokens.is_identity() && base.config().vocab_size == target.config().vocab_size;
    base_vocabulary_ = vocabulary_of(base, common.base);
    target_vocabulary_ = vocabulary_of(target, common.target);
  }

  void add(const AlignedText& text) {
    map_.num_answer_tokens += static_cast<int64_t>(text.base.ids.size()) - text.base.answer_start;
    bytes_ += text.num_bytes;
    covered_ += text.num_bytes_covered;
    const auto base = residual_streams(base_, pack({&text.base.ids, 1}));
    const auto target = residual_streams(target_, pack({&text.target.ids, 1}));
    const RowPairs rows = thinned_rows(text, rows_of_text_);
    for (size_t layer = 0; layer < target.size(); ++layer) {
      const int64_t partner = matched_layer(static_cast<int64_t>(layer), base_.config().num_layers, target_.config().num_layers);
      base_rows_[layer].push_back(base[static_cast<size_t>(partner)].to(at::kCPU).index_select(0, index_of(rows.base)));
      target_rows_[layer].push_back(target[layer].to(at::kCPU).index_select(0, index_of(rows.target)));
    }
    add_kl(text, base.back(), target.back());
  }

  DepthMap finish() {
    for (size_t layer = 0; layer < target_rows_.size(); ++layer) map_.layers.push_back(row_of(static_cast<int64_t>(layer)));
    for (CategoryKl& category : map_.categories) {
      map_.token_kl += category.token_kl;
      map_.num_predictions += category.num_tokens;
      category.token_kl /= static_cast<double>(std::max<int64_t>(1, category.num_tokens));
    }
    map_.token_kl /= static_cast<double>(std::max<int64_t>(1, map_.num_predictions));
    map_.share_covered = bytes_ > 0 ? static_cast<double>(covered_) / static_cast<double>(bytes_) : 0.0;
    return std::move(map_);
  }

 private:
  DepthRow row_of(int64_t layer) {
    const auto i = static_cast<size_t>(layer);
    const at::Tensor b = at::cat(base_rows_[i]), t = at::cat(target_rows_[i]);
    DepthRow row{.target_layer = layer,
                 .base_layer = matched_layer(layer, base_.config().num_layers, target_.config().num_layers)};
    map_.num_rows = b.size(0);
    if (b.size(0) == 0) return row;
    const at::Tensor b_norms = b.norm(2, 1), t_norms = t.norm(2, 1);
    const at::Tensor kept = ordinary_norms(b_norms).logical_and(ordinary_norms(t_norms)).nonzero().squeeze(1);
    row.similarity = linear_cka(b.index_select(0, kept), t.index_select(0, kept));
    row.base_norm = std::sqrt(b_norms.index_select(0, kept).square().mean().item<double>());
    row.target_norm = std::sqrt(t_norms.index_select(0, kept).square().mean().item<double>());
    return row;
  }

  void add_kl(const AlignedText& text, const at::Tensor& base, const at::Tensor& target) {
    RowPairs rows;
    for (const AlignedPosition& position : text.predictions) rows.add(position);
    const at::Tensor base_index = index_of(rows.base).to(base.device()), target_index = index_of(rows.target).to(target.device());
    double total = 0.0;
    for (int64_t first = 0; first < base_index.size(0); first += kLogitRows) {
      const int64_t count = std::min(kLogitRows, base_index.size(0) - first);
      const at::Tensor q = predict(base_, base_vocabulary_, base.index_select(0, base_index.narrow(0, first, count)));
      const at::Tensor p = predict(target_, target_vocabulary_, target.index_select(0, target_index.narrow(0, first, count)));
      total += p.exp().mul(p - q).sum(at::kDouble).item<double>();
    }
    CategoryKl& category = category_in(map_.categories, text.base.category);
    category.token_kl += total;
    category.num_tokens += base_index.size(0);
  }

  at::Tensor predict(const Decoder& model, const Vocabulary& vocabulary, const at::Tensor& resid) const {
    const at::Tensor logits = model.unembed(resid);
    if (is_same_) return logits.log_softmax(-1);
    const bool and_rest = base_vocabulary_.others.size(0) + target_vocabulary_.others.size(0) > 0;
    return over_common_tokens(logits, vocabulary, and_rest);
  }

  const Decoder& base_;
  const Decoder& target_;
  size_t rows_of_text_;
  std::vector<std::vector<at::Tensor>> base_rows_, target_rows_;  // [num_target_layers][num_texts]
  bool is_same_ = false;                                          // one vocabulary
  Vocabulary base_vocabulary_, target_vocabulary_;
  size_t bytes_ = 0, covered_ = 0;
  DepthMap map_;
};

}  // namespace

DepthMap compare_depths(const Decoder& base, const Decoder& target, const TokenMap& tokens, const std::vector<AlignedText>& texts,
                        ProgressSink& sink) {
  check(!texts.empty(), ErrorCode::kUsage, "[layers] there is no text to read.");
  DepthComparison comparison(base, target, tokens, (kRows + texts.size() - 1) / texts.size());
  StageProgress progress(sink, "layers at equal depth", static_cast<int64_t>(texts.size()), "texts");
  for (const AlignedText& text : texts) {
    check_interrupt();
    comparison.add(text);
    progress.advance(1);
  }
  return comparison.finish();
}

}  // namespace fi
