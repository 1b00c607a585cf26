#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <memory>
#include <vector>

#include "fi/model/model_config.h"
#include "fi/model/norm.h"
#include "fi/model/packed_batch.h"
#include "fi/model/weight_matrix.h"

namespace fi {

class DecoderLayer;

/// Sees, and may replace, the residual stream after a layer: `resid` is [num_tokens, d_model] fp32. Returns what the next layer
/// reads. Hook point name in reports and files: `blocks.<layer>.hook_resid_post`.
using ResidualHook = std::function<at::Tensor(int64_t layer, const at::Tensor& resid)>;

struct ForwardOptions {
  ResidualHook on_resid_post;  // empty: nobody looks
  int64_t first_layer = 0;     // > 0: start here, from `resid_in`
  at::Tensor resid_in;         // [num_tokens, d_model]: the residual stream before first_layer
  int64_t last_layer = -1;     // stop after this layer and make no logits; -1: run to the end
  bool shares_rows = true;     // rows that sequences begin with alike are computed once; false: for who looks inside a layer
  at::Tensor logit_rows;       // [n] int64: rows to make logits for; undefined: all; empty tensor: none
};

struct ForwardResult {
  at::Tensor resid;   // [num_tokens, d_model] after the last layer that ran, before the final norm
  at::Tensor logits;  // [n, vocab_size] fp32; undefined when none were asked for
};

/// A decoder-only transformer with its weights. Immutable; copies share weights, so does every model derived from another
/// (an adapter on its base, a transplant). Computes in fp32 whatever the weights are stored in.
class Decoder {
 public:
  struct Parts {
    ModelConfig config;
    WeightMatrixPtr embedding;           // [vocab_size, d_model]
    WeightMatrixPtr position_embedding;  // [max_positions, d_model] of models with learned positions; else null
    std::vector<std::shared_ptr<const DecoderLayer>> layers;  // [num_layers]
    Norm final_norm;
    WeightMatrixPtr unembedding;  // [vocab_size, d_model]; equal to the embedding when tied
  };

  explicit Decoder(Parts parts);

  const ModelConfig& config() const { return parts_.config; }
  const Parts& parts() const { return parts_; }
  at::Device device() const { return parts_.embedding->device(); }

  /// Token embeddings [num_ids, d_model], scaled, with learned positions where the model has them: the residual stream before the
  /// first layer. `positions` [num_ids] int64. kIncompatible for ids outside the vocabulary.
  at::Tensor embed(const TokenIds& ids, const at::Tensor& positions) const;

  /// kUsage if a sequence is longer than the model's positions reach.
  ForwardResult forward(const PackedBatch& batch, const ForwardOptions& options = {}) const;

  /// Logit lens (nostalgebraist, 2020): final norm, unembedding and soft cap of residual rows [n, d_model] -> [n, vocab_size].
  at::Tensor unembed(const at::Tensor& resid) const;

 private:
  Parts parts_;
};

/// `base` with the blocks [first, last) taken from `target`; both must have equal shapes (kIncompatible otherwise).
Decoder transplant(const Decoder& base, const Decoder& target, int64_t first, int64_t last);

}  // namespace fi
