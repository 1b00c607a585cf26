#include "fi/capture/store_rows.h"

#include <algorithm>

#include "fi/capture/row_reader.h"
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
                                   .relation = options.relation,
                                   .tokenizer = options.tokenizer,
                                   .target_tokenizer = options.target_tokenizer,
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

void check_pair(const Decoder& base, const Decoder& target, const std::vector<TracedText>& texts, const LayerGroup& layers) {
  const ModelConfig &a = base.config(), &b = target.config();
  const bool have_own_ids =
      std::all_of(texts.begin(), texts.end(), [](const TracedText& text) { return text.target.has_value(); });
  check(a.vocab_size == b.vocab_size || have_own_ids, ErrorCode::kIncompatible,
        "[capture] base has {} tokens, target {}; paired rows need the same token ids in both.", a.vocab_size, b.vocab_size);
  invariant(!layers.empty() && std::is_sorted(layers.begin(), layers.end()), "layers are there and ascending");
  check(layers.front() >= 0 && layers.back() < b.num_layers, ErrorCode::kUsage, "[capture] layer is {}, expected 0 to {}.",
        group_text(layers), b.num_layers - 1);
}

}  // namespace

StoreInfo store_rows(const Decoder& base, const Decoder& target, const std::vector<TracedText>& texts,
                     const std::function<bool(int32_t)>& is_special, const StoreRowsOptions& options, ProgressSink& sink) {
  check_pair(base, target, texts, options.layers);
  // What every text begins with has the same rows in all of them: they would be in training and held-out rows alike.
  RowReader reader(base, target, options.layers, is_special, shared_prefix(texts));
  ActivationWriter writer(writer_options(base, target, reader.base_layers(), options));
  std::vector<std::string> categories;  // of the texts so far
  StageProgress progress(sink, fmt::format("rows of layer {}", group_text(options.layers)), static_cast<int64_t>(texts.size()),
                         "texts");
  for (const std::vector<TracedText>& batch : in_batches(texts, kTraceTokens)) {
    check_interrupt();
    const ReadRows read = reader.read(batch, std::ssize(categories));
    if (!read.places.empty()) writer.append(read.rows, read.places);
    for (const TracedText& text : batch) categories.push_back(text.category);
    progress.advance(std::ssize(batch));
  }
  write_texts(options.folder, texts);
  return writer.finish(std::move(categories), reader.masked());
}

}  // namespace fi
