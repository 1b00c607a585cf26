#include "fi/capture/paired_rows.h"

#include <algorithm>

namespace fi {
namespace {

at::Tensor rows_tensor(const std::vector<int64_t>& rows) { return at::tensor(at::ArrayRef<int64_t>(rows), at::kLong); }

void drop_norm_outliers(PairedRows& rows) {
  const at::Tensor ordinary = ordinary_norms(rows.base.norm(2, 1));
  std::vector<int64_t> kept, text, position;
  for (int64_t i = 0; i < ordinary.numel(); ++i) {
    if (!ordinary.const_data_ptr<bool>()[i]) continue;
    kept.push_back(i);
    text.push_back(rows.text[static_cast<size_t>(i)]);
    position.push_back(rows.position[static_cast<size_t>(i)]);
  }
  rows.num_masked += ordinary.numel() - static_cast<int64_t>(kept.size());
  rows.base = rows.base.index_select(0, rows_tensor(kept));
  rows.target = rows.target.index_select(0, rows_tensor(kept));
  rows.text = std::move(text);
  rows.position = std::move(position);
}

/// Collects the rows of every batch.
class RowCollector {
 public:
  RowCollector(const std::vector<int64_t>& layers, const std::function<bool(int32_t)>& is_special) : is_special_(is_special) {
    for (const int64_t layer : layers) rows_.push_back({.layer = layer});
    base_parts_.resize(layers.size());
    target_parts_.resize(layers.size());
  }

  void add(const PackedBatch& batch, const std::vector<at::Tensor>& base, const std::vector<at::Tensor>& target) {
    const at::Tensor kept = choose(batch);
    for (size_t i = 0; i < rows_.size(); ++i) {
      const auto layer = static_cast<size_t>(rows_[i].layer);
      base_parts_[i].push_back(base[layer].to(at::kCPU).index_select(0, kept));
      target_parts_[i].push_back(target[layer].to(at::kCPU).index_select(0, kept));
    }
    num_texts_ += batch.num_sequences();
  }

  std::vector<PairedRows> finish() {
    for (size_t i = 0; i < rows_.size(); ++i) {
      rows_[i].base = at::cat(base_parts_[i]);
      rows_[i].target = at::cat(target_parts_[i]);
      rows_[i].text = text_;
      rows_[i].position = position_;
      rows_[i].num_masked = num_masked_;
      drop_norm_outliers(rows_[i]);
    }
    return std::move(rows_);
  }

 private:
  at::Tensor choose(const PackedBatch& batch) {
    std::vector<int64_t> kept;
    for (size_t s = 0; s + 1 < batch.starts.size(); ++s) {
      for (int64_t row = batch.starts[s]; row < batch.starts[s + 1]; ++row) {
        if (row == batch.starts[s] || is_special_(batch.ids[static_cast<size_t>(row)])) {
          ++num_masked_;
          continue;
        }
        kept.push_back(row);
        text_.push_back(num_texts_ + static_cast<int64_t>(s));
        position_.push_back(row - batch.starts[s]);
      }
    }
    return rows_tensor(kept);
  }

  const std::function<bool(int32_t)>& is_special_;
  std::vector<PairedRows> rows_;
  std::vector<std::vector<at::Tensor>> base_parts_, target_parts_;  // [num_layers][num_batches]
  std::vector<int64_t> text_, position_;
  int64_t num_texts_ = 0;
  int64_t num_masked_ = 0;
};

}  // namespace

std::vector<PairedRows> capture_rows(const Decoder& base, const Decoder& target, const std::vector<TracedText>& texts,
                                     const std::vector<int64_t>& layers, const std::function<bool(int32_t)>& is_special,
                                     ProgressSink& sink) {
  if (layers.empty() || texts.empty()) return {};
  const int64_t deepest = *std::max_element(layers.begin(), layers.end());
  RowCollector collector(layers, is_special);
  StageProgress progress(sink, "rows of chosen layers", static_cast<int64_t>(texts.size()), "texts");
  for (const std::vector<TracedText>& batch : in_batches(texts, kTraceTokens)) {
    check_interrupt();
    const PackedTexts packed = pack_texts(batch);
    collector.add(packed.batch, residual_streams(base, packed.batch, deepest), residual_streams(target, packed.batch, deepest));
    progress.advance(static_cast<int64_t>(batch.size()));
  }
  return collector.finish();
}

}  // namespace fi
