#include "fi/model/decoder.h"

#include <algorithm>

#include "fi/core/error.h"
#include "fi/model/decoder_layer.h"
#include "fi/model/shared_beginnings.h"

namespace fi {
namespace {

at::Tensor ids_tensor(const TokenIds& ids, at::Device device) {
  return at::tensor(at::ArrayRef<int32_t>(ids), at::kInt).to(at::kLong).to(device);
}

void check_ids(const TokenIds& ids, int64_t vocab_size) {
  for (const int32_t id : ids) {
    check(id >= 0 && id < vocab_size, ErrorCode::kIncompatible,
          "[forward] token id {} is outside the model's vocabulary of {}; tokenizer and model do not belong together.", id,
          vocab_size);
  }
}

void check_lengths(const PackedBatch& batch, int64_t max_positions) {
  for (size_t i = 0; i + 1 < batch.starts.size(); ++i) {
    const int64_t length = batch.starts[i + 1] - batch.starts[i];
    check(length <= max_positions, ErrorCode::kUsage,
          "[forward] a text has {} tokens, but the model reads at most {}; shorten it.", length, max_positions);
  }
}

}  // namespace

PackedBatch pack(std::span<const TokenIds> sequences) {
  PackedBatch batch{.starts = {0}};
  for (const TokenIds& sequence : sequences) {
    batch.ids.insert(batch.ids.end(), sequence.begin(), sequence.end());
    batch.starts.push_back(batch.num_tokens());
  }
  return batch;
}

Decoder::Decoder(Parts parts) : parts_(std::move(parts)) {
  invariant(static_cast<int64_t>(parts_.layers.size()) == parts_.config.num_layers, "[model] {} layers, config has {}.",
            parts_.layers.size(), parts_.config.num_layers);
}

at::Tensor Decoder::embed(const TokenIds& ids, const at::Tensor& positions) const {
  check_ids(ids, parts_.embedding->d_out());
  at::Tensor resid = parts_.embedding->look_up(ids_tensor(ids, device()));
  if (parts_.config.embedding_scale != 1.0) resid.mul_(parts_.config.embedding_scale);
  return parts_.position_embedding ? resid.add_(parts_.position_embedding->look_up(positions)) : resid;
}

ForwardResult Decoder::forward(const PackedBatch& batch, const ForwardOptions& options) const {
  const int64_t last = options.last_layer < 0 ? parts_.config.num_layers - 1 : options.last_layer;
  check(batch.num_tokens() > 0, ErrorCode::kUsage, "[forward] the batch holds no token.");
  check_lengths(batch, parts_.config.max_positions);
  SharedBeginnings shared(batch, device(), options.shares_rows);
  at::Tensor rows =
      options.resid_in.defined() ? shared.rows_of(options.resid_in) : embed(shared.ids(batch), shared.layout().positions);
  for (int64_t i = options.first_layer; i <= last; ++i) {
    rows = (*parts_.layers[static_cast<size_t>(i)])(rows, shared.layout(), nullptr);
    if (!options.on_resid_post) continue;
    const at::Tensor seen = shared.all_of(rows), kept = options.on_resid_post(i, seen);
    if (!kept.is_same(seen)) rows = shared.rows_of(kept);
  }
  const at::Tensor resid = shared.all_of(rows);
  ForwardResult result{.resid = resid};
  const bool wants_logits = options.last_layer < 0 && !(options.logit_rows.defined() && options.logit_rows.numel() == 0);
  if (wants_logits) result.logits = unembed(options.logit_rows.defined() ? resid.index_select(0, options.logit_rows) : resid);
  return result;
}

at::Tensor Decoder::unembed(const at::Tensor& resid) const {
  at::Tensor logits = parts_.unembedding->multiply(parts_.final_norm(resid));
  const double cap = parts_.config.logit_soft_cap;
  return cap > 0.0 ? logits.div_(cap).tanh_().mul_(cap) : logits;
}

Decoder transplant(const Decoder& base, const Decoder& target, int64_t first, int64_t last) {
  const ModelConfig& a = base.config();
  const ModelConfig& b = target.config();
  check(a.num_layers == b.num_layers && a.d_model == b.d_model, ErrorCode::kIncompatible,
        "[transplant] base has {} layers of width {}, target {} of width {}; blocks can only be exchanged between equal shapes.",
        a.num_layers, a.d_model, b.num_layers, b.d_model);
  Decoder::Parts parts = base.parts();
  for (int64_t i = first; i < last; ++i) parts.layers[static_cast<size_t>(i)] = target.parts().layers[static_cast<size_t>(i)];
  return Decoder(std::move(parts));
}

}  // namespace fi
