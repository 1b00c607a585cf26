#pragma once

#include <memory>

#include "fi/activations/row_source.h"
#include "fi/dictionary/crosscoder.h"

namespace fi {

/// A crosscoder that reads several layers of two models, with its rows, as latents are judged: two models, whose layers stand
/// side by side in one long row each. Every layer is multiplied by the target's scale there, in both models alike: so layers with
/// large rows do not outweigh the others, and what one model holds can be compared with the other. One layer of each: nothing
/// changes. Models without a common space, of other widths or depths, have their rows in normalised units, with zeros behind the
/// narrower ones: all that can be compared there is how much of its own variance a model spends.
class LayersSideBySide {
 public:
  /// Both must outlive this. kUnsupported unless the crosscoder reads equally many layers of two models; kIncompatible rows.
  LayersSideBySide(const Crosscoder& crosscoder, const RowSource& rows, bool has_one_space = true);

  int64_t num_layers() const { return num_layers_; }
  bool has_one_space() const { return has_one_space_; }
  /// Of two models, num_layers * d_model wide. Its codes are the scaled codes of the original.
  const Crosscoder& crosscoder() const { return crosscoder_; }
  /// [n, 2, num_layers * d_model]
  const RowSource& rows() const { return *rows_; }
  /// Other rows of the original's, [n, 2 * num_layers, d_model], as its crosscoder() reads them.
  at::Tensor as_read(const at::Tensor& rows) const;

 private:
  class Rows;

  int64_t num_layers_;
  bool has_one_space_;
  at::Tensor factors_;  // [2 * num_layers, 1, 1] what each layer is multiplied by; undefined: rows stay as they are
  Crosscoder crosscoder_;
  std::shared_ptr<const RowSource> rows_;
};

/// Of a latent of the original, how its vectors are spread over the layers: [2, num_layers] shares of each model's squared norm.
at::Tensor norm_shares_by_layer(const LayersSideBySide& sides, int64_t latent);

}  // namespace fi
