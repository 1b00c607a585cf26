#include "fi/capture/store_rows.h"

#include <algorithm>

#include "fi/capture/matched_layer.h"
#include "fi/capture/text_file.h"
#include "fi/core/error.h"

namespace fi {
namespace {

at::Tensor residual_after(const Decoder& model, const PackedBatch& batch, int64_t layer) {
  return model.forward(batch, {.last_layer = layer, .logit_rows = at::empty({0}, at::kLong)}).resid.to(at::kCPU, at::kFloat);
}

std::string hook_point_after(int64_t layer) { return fmt::format("resid_post.{}", layer); }

ActivationWriter::Options writer_options(const Decoder& base, const Decoder& target, int64_t base_layer,
                                         const StoreRowsOptions& options) {
  const int64_t base_width = base.config().d_model, target_width = target.config().d_model;
  ActivationWriter::Options result{.folder = options.folder,
                                   .base = options.base,
                                   .target = options.target,
                                   .tokenizer = options.tokenizer,
                                   .hook_point = hook_point_after(options.layer),
                                   .d_model = std::max(base_width, target_width),
                                   .outlier_factor = options.outlier_factor};
  if (base_layer != options.layer) result.base_hook_point = hook_point_after(base_layer);
  if (base_width != target_width) result.widths = {base_width, target_width};
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
        base_layer_(matched_layer(options.layer, base.config().num_layers, target.config().num_layers)),
        target_layer_(options.layer),
        writer_(writer_options(base, target, base_layer_, options)) {}

  void add(const std::vector<TracedText>& texts) {
    const PackedBatch batch = pack_texts(texts).batch;
    std::vector<RowPlace> places;
    const at::Tensor kept = choose(texts, batch, places);
    for (const TracedText& text : texts) categories_.push_back(text.category);
    if (places.empty()) return;
    const at::Tensor base = residual_after(base_, batch, base_layer_), target = residual_after(target_, batch, target_layer_);
    writer_.append(pair_rows(base.index_select(0, kept), target.index_select(0, kept)), places);
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
  int64_t base_layer_;
  int64_t target_layer_;
  ActivationWriter writer_;
  ActivationWriter::Masked masked_;
  std::vector<std::string> categories_;  // of the texts so far
};

void check_pair(const Decoder& base, const Decoder& target, int64_t layer) {
  const ModelConfig &a = base.config(), &b = target.config();
  check(a.vocab_size == b.vocab_size, ErrorCode::kIncompatible,
        "[capture] base has {} tokens, target {}; paired rows need the same token ids in both.", a.vocab_size, b.vocab_size);
  check(layer >= 0 && layer < b.num_layers, ErrorCode::kUsage, "[capture] layer is {}, expected 0 to {}.", layer,
        b.num_layers - 1);
}

}  // namespace

StoreInfo store_rows(const Decoder& base, const Decoder& target, const std::vector<TracedText>& texts,
                     const std::function<bool(int32_t)>& is_special, const StoreRowsOptions& options, ProgressSink& sink) {
  check_pair(base, target, options.layer);
  // What every text begins with has the same rows in all of them: they would be in training and held-out rows alike.
  RowWriter writer(base, target, is_special, shared_prefix(texts), options);
  StageProgress progress(sink, fmt::format("rows of layer {}", options.layer), static_cast<int64_t>(texts.size()), "texts");
  for (const std::vector<TracedText>& batch : in_batches(texts, kTraceTokens)) {
    check_interrupt();
    writer.add(batch);
    progress.advance(static_cast<int64_t>(batch.size()));
  }
  write_texts(options.folder, texts);
  return writer.finish();
}

}  // namespace fi
