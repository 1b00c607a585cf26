#include "fi/capture/store_rows.h"

#include <algorithm>

#include "fi/capture/matched_layer.h"
#include "fi/capture/text_file.h"
#include "fi/core/error.h"

namespace fi {
namespace {

ActivationWriter::Options writer_options(const Decoder& base, const Decoder& target, const LayerGroup& base_layers,
                                         const StoreRowsOptions& options) {
  const int64_t base_width = base.config().d_model, target_width = target.config().d_model;
  const size_t num_layers = options.layers.size();
  ActivationWriter::Options result{.folder = options.folder,
                                   .base = options.base,
                                   .target = options.target,
                                   .tokenizer = options.tokenizer,
                                   .hook_point = hook_point_after(options.layers),
                                   .num_models = 2 * static_cast<int64_t>(num_layers),
                                   .d_model = std::max(base_width, target_width),
                                   .outlier_factor = options.outlier_factor};
  if (base_layers != options.layers) result.base_hook_point = hook_point_after(base_layers);
  if (base_width != target_width) {
    result.widths.assign(num_layers, base_width);
    result.widths.insert(result.widths.end(), num_layers, target_width);
  }
  return result;
}

/// Goes through batches of texts and writes the rows that are kept.
class RowWriter {
 public:
  RowWriter(const Decoder& base, const Decoder& target, const std::function<bool(int32_t)>& is_special, int64_t first_position,
            const StoreRowsOptions& options)
      : base_(base),
        target_(target),
        is_special_(is_special),
        first_position_(first_position),
        base_layers_(matched_layers(options.layers, base.config().num_layers, target.config().num_layers)),
        target_layers_(options.layers),
        writer_(writer_options(base, target, base_layers_, options)) {}

  void add(const std::vector<TracedText>& texts) {
    const PackedBatch batch = pack_texts(texts).batch;
    std::vector<RowPlace> places;
    const at::Tensor kept = choose(texts, batch, places);
    for (const TracedText& text : texts) categories_.push_back(text.category);
    if (places.empty()) return;
    std::vector<at::Tensor> rows;
    for (const at::Tensor& resid : residuals_after(base_, batch, base_layers_)) rows.push_back(resid.index_select(0, kept));
    for (const at::Tensor& resid : residuals_after(target_, batch, target_layers_)) rows.push_back(resid.index_select(0, kept));
    writer_.append(stack_rows(rows), places);
  }

  StoreInfo finish() { return writer_.finish(std::move(categories_), masked_); }

 private:
  at::Tensor choose(const std::vector<TracedText>& texts, const PackedBatch& batch, std::vector<RowPlace>& places) {
    std::vector<int64_t> rows;
    for (size_t s = 0; s + 1 < batch.starts.size(); ++s) {
      const int64_t first_position = std::max(first_position_, texts[s].num_repeated);
      for (int64_t row = batch.starts[s]; row < batch.starts[s + 1]; ++row) {
        const int32_t token = batch.ids[static_cast<size_t>(row)];
        if (row == batch.starts[s]) {
          ++masked_.first;
        } else if (row - batch.starts[s] < first_position) {
          ++masked_.repeated;
        } else if (is_special_(token)) {
          ++masked_.special;
        } else {
          rows.push_back(row);
          places.push_back({static_cast<int32_t>(categories_.size() + s), static_cast<int32_t>(row - batch.starts[s]), token});
        }
      }
    }
    return at::tensor(at::ArrayRef<int64_t>(rows), at::kLong);
  }

  const Decoder& base_;
  const Decoder& target_;
  const std::function<bool(int32_t)>& is_special_;
  int64_t first_position_;  // of the rows that are kept of any text
  LayerGroup base_layers_;
  LayerGroup target_layers_;
  ActivationWriter writer_;
  ActivationWriter::Masked masked_;
  std::vector<std::string> categories_;  // of the texts so far
};

void check_pair(const Decoder& base, const Decoder& target, const LayerGroup& layers) {
  const ModelConfig &a = base.config(), &b = target.config();
  check(a.vocab_size == b.vocab_size, ErrorCode::kIncompatible,
        "[capture] base has {} tokens, target {}; paired rows need the same token ids in both.", a.vocab_size, b.vocab_size);
  invariant(!layers.empty() && std::is_sorted(layers.begin(), layers.end()), "layers are there and ascending");
  check(layers.front() >= 0 && layers.back() < b.num_layers, ErrorCode::kUsage, "[capture] layer is {}, expected 0 to {}.",
        group_text(layers), b.num_layers - 1);
}

}  // namespace

StoreInfo store_rows(const Decoder& base, const Decoder& target, const std::vector<TracedText>& texts,
                     const std::function<bool(int32_t)>& is_special, const StoreRowsOptions& options, ProgressSink& sink) {
  check_pair(base, target, options.layers);
  // What every text begins with has the same rows in all of them: they would be in training and held-out rows alike.
  RowWriter writer(base, target, is_special, shared_prefix(texts), options);
  StageProgress progress(sink, fmt::format("rows of layer {}", group_text(options.layers)), static_cast<int64_t>(texts.size()),
                         "texts");
  for (const std::vector<TracedText>& batch : in_batches(texts, kTraceTokens)) {
    check_interrupt();
    writer.add(batch);
    progress.advance(static_cast<int64_t>(batch.size()));
  }
  write_texts(options.folder, texts);
  return writer.finish();
}

}  // namespace fi
