#include "fi/diff/layer_map.h"

#include <algorithm>
#include <cmath>

#include "fi/core/error.h"
#include "fi/diff/token_kl.h"

namespace fi {
namespace {

// Rounding hardly depends on the text: the copy reads one batch of so many.
constexpr size_t kBatchesAnEstimate = 3;

/// Sums over rows, in double, of one layer.
struct LayerSums {
  double difference = 0.0, base = 0.0, target = 0.0;
  double rounding = 0.0, rounding_base = 0.0;  // over the rows that the rounded copy read
  at::Tensor base_total, target_total;         // [d_model] double
  int64_t rows = 0;

  // From the sums alone: <b, t> is (|b|^2 + |t|^2 - |t - b|^2) / 2, before and after centring.
  double centred_cosine() const {
    const double n = static_cast<double>(rows);
    const double products = 0.5 * (base + target - difference) - base_total.dot(target_total).item<double>() / n;
    const double base_squares = base - base_total.square().sum().item<double>() / n;
    const double target_squares = target - target_total.square().sum().item<double>() / n;
    const double scale = std::sqrt(std::max(0.0, base_squares) * std::max(0.0, target_squares));
    return difference > 0.0 && scale > 0.0 ? products / scale : 1.0;
  }
};

std::vector<at::Tensor> on_cpu(std::vector<at::Tensor> streams) {
  for (at::Tensor& stream : streams) stream = stream.to(at::kCPU);
  return streams;
}

double sum_of_squares(const at::Tensor& x) { return x.square().sum(at::kDouble).item<double>(); }

void add_rows(at::Tensor& total, const at::Tensor& rows) {
  const at::Tensor sum = rows.sum(at::IntArrayRef{0}, /*keepdim=*/false, at::kDouble);
  total = total.defined() ? total + sum : sum;
}

class LayerComparison {
 public:
  LayerComparison(const Decoder& base, const Decoder& target, const Decoder& rounded,
                  const std::function<bool(int32_t)>& is_special)
      : base_(base),
        target_(target),
        rounded_(rounded),
        is_special_(is_special),
        sums_(static_cast<size_t>(base.config().num_layers)) {}

  void add(const std::vector<TracedText>& traced, bool with_rounding) {
    const PackedTexts texts = pack_texts(traced);
    const std::vector<at::Tensor> base = residual_streams(base_, texts.batch);
    const std::vector<at::Tensor> target = residual_streams(target_, texts.batch);
    add_kl(traced, texts, base.back(), target.back());
    const auto base_rows = on_cpu(base), target_rows = on_cpu(target);
    std::vector<at::Tensor> rounded_rows(base.size());
    if (with_rounding) rounded_rows = on_cpu(residual_streams(rounded_, texts.batch));
    const at::Tensor kept = kept_rows(texts.batch);
    for (size_t layer = 0; layer < base.size(); ++layer)
      add_layer(layer, base_rows[layer], target_rows[layer], rounded_rows[layer], kept);
    map_.num_tokens += texts.batch.num_tokens();
  }

  LayerMap finish() {
    for (size_t i = 0; i < sums_.size(); ++i) {
      const LayerSums& sums = sums_[i];
      check(sums.rows > 0, ErrorCode::kNumeric, "[layers] every row after layer {} is masked; give longer texts.", i);
      const double rows = static_cast<double>(sums.rows);
      map_.layers.push_back({.layer = static_cast<int64_t>(i),
                             .relative_difference = sums.base > 0.0 ? std::sqrt(sums.difference / sums.base) : 0.0,
                             .noise_floor = sums.rounding_base > 0.0 ? std::sqrt(sums.rounding / sums.rounding_base) : 0.0,
                             .cosine = sums.centred_cosine(),
                             .base_norm = std::sqrt(sums.base / rows),
                             .target_norm = std::sqrt(sums.target / rows),
                             .mean_difference = (sums.target_total - sums.base_total).div(rows).to(at::kFloat)});
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
    const at::Tensor ordinary = ordinary_norms(norms);
    const at::Tensor rows = kept.masked_select(ordinary);
    const at::Tensor b = base.index_select(0, rows);
    const at::Tensor t = target.index_select(0, rows);
    const at::Tensor difference = t - b;
    LayerSums& sums = sums_[layer];
    sums.base += sum_of_squares(b);
    sums.target += sum_of_squares(t);
    sums.difference += sum_of_squares(difference);
    if (rounded.defined()) {
      sums.rounding += sum_of_squares(rounded.index_select(0, rows) - b);
      sums.rounding_base += sum_of_squares(b);
    }
    add_rows(sums.base_total, b);
    add_rows(sums.target_total, t);
    sums.rows += rows.size(0);
    if (layer + 1 == sums_.size()) {
      map_.num_kept += rows.size(0);
      map_.num_masked_outliers += kept.size(0) - rows.size(0);
    }
  }

  void add_kl(const std::vector<TracedText>& traced, const PackedTexts& texts, const at::Tensor& base, const at::Tensor& target) {
    const at::Tensor kl = kl_of_predictions(base_, target_, texts, base, target);
    for (size_t i = 0; i < traced.size(); ++i) {
      const int64_t first = texts.text_starts[i];
      const int64_t count = texts.text_starts[i + 1] - first;
      if (count == 0) continue;
      CategoryKl& category = category_in(map_.categories, traced[i].category);
      category.token_kl += kl.narrow(0, first, count).sum().item<double>();
      category.num_tokens += count;
    }
  }

  const Decoder& base_;
  const Decoder& target_;
  const Decoder& rounded_;
  const std::function<bool(int32_t)>& is_special_;
  std::vector<LayerSums> sums_;
  LayerMap map_;
};

}  // namespace

CategoryKl& category_in(std::vector<CategoryKl>& rows, const std::string& category) {
  const auto found = std::ranges::find(rows, category, &CategoryKl::category);
  return found != rows.end() ? *found : rows.emplace_back(CategoryKl{.category = category});
}

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
  LayerComparison comparison(base, target, rounded, is_special);
  StageProgress progress(sink, "layers", static_cast<int64_t>(texts.size()), "texts");
  const std::vector<std::vector<TracedText>> batches = in_batches(texts, kTraceTokens);
  for (size_t i = 0; i < batches.size(); ++i) {
    check_interrupt();
    comparison.add(batches[i], /*with_rounding=*/i % kBatchesAnEstimate == 0);
    progress.advance(static_cast<int64_t>(batches[i].size()));
  }
  return comparison.finish();
}

}  // namespace fi
