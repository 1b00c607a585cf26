#include "fi/capture/traced_text.h"

#include <algorithm>

namespace fi {

std::vector<TracedText> as_target_reads(const std::vector<TracedText>& texts) {
  std::vector<TracedText> read;
  for (const TracedText& text : texts) {
    if (!text.target) {
      read.push_back(text);
      continue;
    }
    read.push_back({.ids = text.target->ids, .answer_start = text.target->answer_start, .category = text.category});
  }
  return read;
}

int64_t target_position(const TracedText& text, int64_t position) {
  return text.target ? text.target->partners.at(static_cast<size_t>(position)) : position;
}

int64_t shared_prefix(const std::vector<TracedText>& texts) {
  if (texts.size() < 2) return 0;
  const TokenIds& first = texts.front().ids;
  auto end = first.end();
  for (const TracedText& text : texts) end = std::mismatch(first.begin(), end, text.ids.begin(), text.ids.end()).first;
  return end - first.begin();
}

PackedTexts pack_texts(std::span<const TracedText> texts) {
  std::vector<TokenIds> sequences;
  for (const TracedText& text : texts) sequences.push_back(text.ids);
  PackedTexts packed{.batch = pack(sequences), .text_starts = {0}};
  std::vector<int64_t> rows, next;
  for (size_t i = 0; i < texts.size(); ++i) {
    const int64_t end = packed.batch.starts[i + 1];
    for (int64_t row = packed.batch.starts[i] + std::max<int64_t>(1, texts[i].answer_start); row < end; ++row) {
      rows.push_back(row - 1);
      next.push_back(packed.batch.ids[static_cast<size_t>(row)]);
    }
    packed.text_starts.push_back(static_cast<int64_t>(rows.size()));
  }
  packed.predicting = at::tensor(at::ArrayRef<int64_t>(rows), at::kLong);
  packed.answer_ids = at::tensor(at::ArrayRef<int64_t>(next), at::kLong);
  return packed;
}

std::vector<std::vector<TracedText>> in_batches(const std::vector<TracedText>& texts, int64_t max_tokens) {
  std::vector<std::vector<TracedText>> batches;
  int64_t tokens = 0;
  for (const TracedText& text : texts) {
    const auto size = static_cast<int64_t>(text.ids.size());
    if (batches.empty() || tokens + size > max_tokens) {
      batches.emplace_back();
      tokens = 0;
    }
    batches.back().push_back(text);
    tokens += size;
  }
  return batches;
}

at::Tensor answer_log_probabilities(const Decoder& model, const PackedTexts& texts, const at::Tensor& final_resid) {
  const at::Tensor rows = texts.predicting.to(final_resid.device());
  const at::Tensor ids = texts.answer_ids.to(final_resid.device()).unsqueeze(1);
  at::Tensor result = at::empty({rows.size(0)}, at::kFloat);
  for (int64_t first = 0; first < rows.size(0); first += kLogitRows) {
    const int64_t count = std::min(kLogitRows, rows.size(0) - first);
    const at::Tensor logits = model.unembed(final_resid.index_select(0, rows.narrow(0, first, count)));
    const at::Tensor chosen = logits.log_softmax(-1).gather(1, ids.narrow(0, first, count)).squeeze(1);
    result.narrow(0, first, count).copy_(chosen);
  }
  return result;
}

std::vector<double> means_by_text(const PackedTexts& texts, const at::Tensor& values) {
  std::vector<double> means;
  for (int64_t i = 0; i < texts.num_texts(); ++i) {
    const int64_t first = texts.text_starts[static_cast<size_t>(i)];
    const int64_t count = texts.text_starts[static_cast<size_t>(i) + 1] - first;
    means.push_back(count > 0 ? values.narrow(0, first, count).mean(at::kDouble).item<double>() : 0.0);
  }
  return means;
}

at::Tensor ordinary_norms(const at::Tensor& norms) {
  constexpr double kOutlierFactor = 4.0;
  if (norms.numel() == 0) return at::empty({0}, at::kBool);
  return norms.le(kOutlierFactor * norms.median().item<double>());
}

std::vector<at::Tensor> residual_streams(const Decoder& model, const PackedBatch& batch, int64_t last_layer, bool shares_rows) {
  std::vector<at::Tensor> streams;
  ForwardOptions options;
  options.last_layer = last_layer;
  options.shares_rows = shares_rows;
  options.logit_rows = at::empty({0}, at::kLong);
  options.on_resid_post = [&](int64_t, const at::Tensor& resid) {
    streams.push_back(resid);
    return resid;
  };
  model.forward(batch, options);
  return streams;
}

std::vector<at::Tensor> residuals_after(const Decoder& model, const PackedBatch& batch, const std::vector<int64_t>& layers) {
  std::vector<at::Tensor> residuals;
  const auto keep = [&](const at::Tensor& resid) { residuals.push_back(resid.to(at::kCPU, at::kFloat)); };
  ForwardOptions options;
  options.last_layer = layers.back();
  options.logit_rows = at::empty({0}, at::kLong);
  if (layers.size() > 1) {
    options.on_resid_post = [&](int64_t layer, const at::Tensor& resid) {
      if (layer != layers.back() && std::binary_search(layers.begin(), layers.end(), layer)) keep(resid);
      return resid;
    };
  }
  keep(model.forward(batch, options).resid);
  return residuals;
}

at::Tensor with_blocks_of(const Decoder& base, const Decoder& target, const PackedBatch& batch, BlockRange range,
                          const std::vector<at::Tensor>& base_streams) {
  ForwardOptions options;
  options.first_layer = range.first;
  if (range.first > 0) options.resid_in = base_streams[static_cast<size_t>(range.first) - 1];
  options.logit_rows = at::empty({0}, at::kLong);
  return transplant(base, target, range.first, range.last).forward(batch, options).resid;
}

at::Tensor continue_after(const Decoder& model, const PackedBatch& batch, int64_t layer, const at::Tensor& resid,
                          const ResidualHook& hook) {
  if (layer + 1 == model.config().num_layers) return resid;
  ForwardOptions options;
  options.on_resid_post = hook;
  options.first_layer = layer + 1;
  options.resid_in = resid;
  options.logit_rows = at::empty({0}, at::kLong);
  return model.forward(batch, options).resid;
}

}  // namespace fi
