#include "fi/diff/layer_map.h"

#include <algorithm>
#include <cmath>

#include "fi/core/error.h"

namespace fi {
namespace {

constexpr int64_t kBatchTokens = 1024;
constexpr double kOutlierFactor = 4.0;

/// Sums over rows, in double, of one layer.
struct LayerSums {
  double difference = 0.0, rounding = 0.0, base = 0.0, target = 0.0;
  at::Tensor mean_difference;
  int64_t rows = 0;
};

std::vector<at::Tensor> residuals_of(const Decoder& model, const PackedBatch& batch, at::Tensor* final_resid) {
  std::vector<at::Tensor> layers;
  ForwardOptions options;
  options.logit_rows = at::empty({0}, at::kLong);
  options.on_resid_post = [&](int64_t, const at::Tensor& resid) {
    layers.push_back(resid.to(at::kCPU));
    return resid;
  };
  const ForwardResult result = model.forward(batch, options);
  if (final_resid != nullptr) *final_resid = result.resid;
  return layers;
}

double sum_of_squares(const at::Tensor& x) { return x.square().sum(at::kDouble).item<double>(); }

class Comparison {
 public:
  Comparison(const Decoder& base, const Decoder& target, const Decoder& rounded, const std::function<bool(int32_t)>& is_special)
      : base_(base),
        target_(target),
        rounded_(rounded),
        is_special_(is_special),
        sums_(static_cast<size_t>(base.config().num_layers)) {}

  void add(const std::vector<const TracedText*>& texts) {
    std::vector<TokenIds> sequences;
    for (const TracedText* text : texts) sequences.push_back(text->ids);
    const PackedBatch batch = pack(sequences);
    at::Tensor base_final, target_final;
    const auto base = residuals_of(base_, batch, &base_final);
    const auto target = residuals_of(target_, batch, &target_final);
    const auto rounded = residuals_of(rounded_, batch, nullptr);
    const at::Tensor kept = kept_rows(batch);
    for (size_t layer = 0; layer < base.size(); ++layer) add_layer(layer, base[layer], target[layer], rounded[layer], kept);
    add_kl(texts, batch, base_final, target_final);
    map_.num_tokens += batch.num_tokens();
  }

  LayerMap finish() {
    for (size_t i = 0; i < sums_.size(); ++i) {
      const LayerSums& sums = sums_[i];
      const double rows = static_cast<double>(std::max<int64_t>(1, sums.rows));
      map_.layers.push_back({.layer = static_cast<int64_t>(i),
                             .relative_difference = sums.base > 0.0 ? std::sqrt(sums.difference / sums.base) : 0.0,
                             .noise_floor = sums.base > 0.0 ? std::sqrt(sums.rounding / sums.base) : 0.0,
                             .base_norm = std::sqrt(sums.base / rows),
                             .target_norm = std::sqrt(sums.target / rows),
                             .mean_difference = sums.mean_difference.div(rows).to(at::kFloat)});
    }
    for (CategoryKl& category : map_.categories)
      category.token_kl /= static_cast<double>(std::max<int64_t>(1, category.num_tokens));
    return std::move(map_);
  }

 private:
  at::Tensor kept_rows(const PackedBatch& batch) {
    std::vector<int64_t> rows;
    for (size_t i = 0; i + 1 < batch.starts.size(); ++i) {
      for (int64_t row = batch.starts[i]; row < batch.starts[i + 1]; ++row) {
        if (row == batch.starts[i]) {
          ++map_.num_masked_first;
        } else if (is_special_(batch.ids[static_cast<size_t>(row)])) {
          ++map_.num_masked_special;
        } else {
          rows.push_back(row);
        }
      }
    }
    return at::tensor(at::ArrayRef<int64_t>(rows), at::kLong);
  }

  void add_layer(size_t layer, const at::Tensor& base, const at::Tensor& target, const at::Tensor& rounded,
                 const at::Tensor& kept) {
    const at::Tensor norms = base.index_select(0, kept).norm(2, 1);
    if (norms.numel() == 0) return;
    const at::Tensor ordinary = norms.le(kOutlierFactor * norms.median().item<double>());
    const at::Tensor rows = kept.masked_select(ordinary);
    const at::Tensor b = base.index_select(0, rows);
    const at::Tensor t = target.index_select(0, rows);
    const at::Tensor difference = t - b;
    LayerSums& sums = sums_[layer];
    sums.base += sum_of_squares(b);
    sums.target += sum_of_squares(t);
    sums.difference += sum_of_squares(difference);
    sums.rounding += sum_of_squares(rounded.index_select(0, rows) - b);
    const at::Tensor total = difference.sum(at::IntArrayRef{0}, /*keepdim=*/false, at::kDouble);
    sums.mean_difference = sums.mean_difference.defined() ? sums.mean_difference + total : total;
    sums.rows += rows.size(0);
    if (layer + 1 == sums_.size()) {
      map_.num_kept += rows.size(0);
      map_.num_masked_outliers += kept.size(0) - rows.size(0);
    }
  }

  void add_kl(const std::vector<const TracedText*>& texts, const PackedBatch& batch, const at::Tensor& base,
              const at::Tensor& target) {
    for (size_t i = 0; i < texts.size(); ++i) {
      // The row before an answer token predicts it.
      const int64_t first = batch.starts[i] + std::max<int64_t>(0, texts[i]->answer_start - 1);
      const int64_t count = batch.starts[i + 1] - 1 - first;
      if (count <= 0) continue;
      const at::Tensor q = base_.unembed(base.narrow(0, first, count)).log_softmax(-1);
      const at::Tensor p = target_.unembed(target.narrow(0, first, count)).log_softmax(-1);
      const double kl = p.exp().mul(p - q).sum(at::kDouble).item<double>();
      CategoryKl& category = category_of(texts[i]->category);
      category.token_kl += kl;
      category.num_tokens += count;
    }
  }

  CategoryKl& category_of(const std::string& name) {
    for (CategoryKl& category : map_.categories) {
      if (category.category == name) return category;
    }
    return map_.categories.emplace_back(CategoryKl{.category = name});
  }

  const Decoder& base_;
  const Decoder& target_;
  const Decoder& rounded_;
  const std::function<bool(int32_t)>& is_special_;
  std::vector<LayerSums> sums_;
  LayerMap map_;
};

}  // namespace

LayerMap compare_layers(const Decoder& base, const Decoder& target, const Decoder& rounded, const std::vector<TracedText>& texts,
                        const std::function<bool(int32_t)>& is_special, ProgressSink& sink) {
  const ModelConfig& a = base.config();
  const ModelConfig& b = target.config();
  check(a.num_layers == b.num_layers && a.d_model == b.d_model && a.vocab_size == b.vocab_size, ErrorCode::kIncompatible,
        "[layers] base has {} layers of width {} and {} tokens, target {} of width {} and {} tokens; layers can only be compared "
        "between "
        "equal shapes.",
        a.num_layers, a.d_model, a.vocab_size, b.num_layers, b.d_model, b.vocab_size);
  check(!texts.empty(), ErrorCode::kUsage, "[layers] there is no text to read.");
  Comparison comparison(base, target, rounded, is_special);
  StageProgress progress(sink, "layers", static_cast<int64_t>(texts.size()), "texts");
  std::vector<const TracedText*> batch;
  int64_t tokens = 0;
  for (size_t i = 0; i < texts.size(); ++i) {
    batch.push_back(&texts[i]);
    tokens += static_cast<int64_t>(texts[i].ids.size());
    if (tokens < kBatchTokens && i + 1 < texts.size()) continue;
    check_interrupt();
    comparison.add(batch);
    progress.advance(static_cast<int64_t>(batch.size()));
    batch.clear();
    tokens = 0;
  }
  return comparison.finish();
}

}  // namespace fi
