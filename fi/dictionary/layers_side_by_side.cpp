#include "fi/dictionary/layers_side_by_side.h"

#include "fi/core/error.h"
#include "fi/dictionary/quality.h"

namespace fi {
namespace {

// [2 * num_layers, n, d_model] -> [2, n, num_layers * d_model]
at::Tensor side_by_side(const at::Tensor& values, int64_t num_layers) {
  const int64_t count = values.size(1), width = values.size(2);
  return values.reshape({2, num_layers, count, width}).transpose(1, 2).reshape({2, count, num_layers * width});
}

// [n, 2 * num_layers, width] -> [n, 2, num_layers * width]
at::Tensor rows_side_by_side(const at::Tensor& rows, const at::Tensor& factors, int64_t num_layers) {
  return side_by_side(rows.transpose(0, 1) * factors, num_layers).transpose(0, 1).contiguous();
}

// What each layer is multiplied by: [2 * num_layers, 1, 1].
at::Tensor layer_factors(const Crosscoder& c, int64_t num_layers, bool has_one_space) {
  const at::Tensor& scale = c.scaling.scale;
  return (has_one_space ? scale.narrow(0, num_layers, num_layers).repeat({2}) : scale).view({-1, 1, 1});
}

Crosscoder crosscoder_of_two(const Crosscoder& original, int64_t num_layers, const at::Tensor& factors) {
  const Crosscoder c = with_unit_code_norms(original);
  const at::Tensor scale = c.scaling.scale.view({-1, 1, 1});
  Crosscoder two = c;
  two.code_norm = CodeNorm::kNone;
  two.encoder = side_by_side((c.encoder * scale / factors).transpose(1, 2), num_layers).transpose(1, 2).contiguous();
  two.decoder = side_by_side(c.decoder * factors / scale, num_layers).contiguous();
  two.decoder_bias = side_by_side(c.decoder_bias.unsqueeze(1) * factors / scale, num_layers).squeeze(1).contiguous();
  two.scaling = {.mean = side_by_side(c.scaling.mean.unsqueeze(1) * factors, num_layers).squeeze(1).contiguous(),
                 .scale = at::ones({2})};
  return two;
}

}  // namespace

class LayersSideBySide::Rows : public RowSource {
 public:
  Rows(const RowSource& source, at::Tensor factors, int64_t num_layers)
      : source_(source), factors_(std::move(factors)), num_layers_(num_layers) {}

  int64_t num_rows() const override { return source_.num_rows(); }
  int64_t num_models() const override { return 2; }
  int64_t d_model() const override { return source_.d_model() * num_layers_; }
  at::Tensor gather(std::span<const int64_t> indices) const override {
    return rows_side_by_side(source_.gather(indices), factors_, num_layers_);
  }

 private:
  const RowSource& source_;
  at::Tensor factors_;  // [2 * num_layers, 1, 1]
  int64_t num_layers_;
};

LayersSideBySide::LayersSideBySide(const Crosscoder& c, const RowSource& rows, bool has_one_space)
    : num_layers_(c.num_models() / 2), has_one_space_(has_one_space) {
  check(c.view == RowView::kModels && c.num_models() >= 2 && c.num_models() % 2 == 0, ErrorCode::kUnsupported,
        "[features] classes need a crosscoder of two models; this dictionary reads something else.");
  check_rows_fit(c, rows);
  if (num_layers_ == 1 && has_one_space) {
    crosscoder_ = c;
    rows_ = std::shared_ptr<const RowSource>(std::shared_ptr<void>(), &rows);
  } else {
    factors_ = layer_factors(c, num_layers_, has_one_space);
    crosscoder_ = crosscoder_of_two(c, num_layers_, factors_);
    rows_ = std::make_shared<Rows>(rows, factors_, num_layers_);
  }
}

at::Tensor LayersSideBySide::as_read(const at::Tensor& rows) const {
  return factors_.defined() ? rows_side_by_side(rows, factors_, num_layers_) : rows;
}

at::Tensor norm_shares_by_layer(const LayersSideBySide& sides, int64_t latent) {
  const at::Tensor vectors = sides.crosscoder().decoder.select(1, latent);  // [2, num_layers * d_model]
  const at::Tensor squares = vectors.view({2, sides.num_layers(), -1}).square().sum(at::IntArrayRef{2});
  return squares / squares.sum(at::IntArrayRef{1}, true).clamp_min(1e-30);
}

}  // namespace fi
