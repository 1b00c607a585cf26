#include "fi/dictionary/quality.h"

#include <algorithm>

#include "fi/activations/row_statistics.h"
#include "fi/core/error.h"
#include "fi/core/progress.h"

namespace fi {
namespace {

constexpr int64_t kBlockRows = 512;
constexpr double kDenseShare = 0.1;

// [num_models] sum over rows and coordinates, in double.
at::Tensor squares_by_model(const at::Tensor& rows) { return rows.square().sum(at::IntArrayRef{0, 2}, false, at::kDouble); }

double share(const at::Tensor& which) { return which.sum().item<double>() / static_cast<double>(which.numel()); }

}  // namespace

void check_rows_fit(const Crosscoder& c, const RowSource& rows) {
  const int64_t models = c.view == RowView::kDifference ? 2 : c.num_models();
  check(rows.num_models() == models && rows.d_model() == c.d_model(), ErrorCode::kIncompatible,
        "[dictionary] it reads {} models of width {}, the activations have {} of width {}; use activations of the same models.",
        models, c.d_model(), rows.num_models(), rows.d_model());
}

DictionaryQuality quality_of(const Crosscoder& c, const RowSource& source) {
  check_rows_fit(c, source);
  const at::Tensor codes_seen = at::zeros({c.num_latents()}, at::kLong);
  const at::Tensor error = at::zeros({c.num_models()}, at::kDouble), total = at::zeros({c.num_models()}, at::kDouble);
  at::Tensor mean = at::zeros({c.num_models(), c.d_model()}, at::kDouble);
  const auto num_rows = static_cast<double>(std::max<int64_t>(1, source.num_rows()));
  for (int64_t first = 0; first < source.num_rows(); first += kBlockRows) {
    check_interrupt();
    const at::Tensor rows = view_rows(c.view, read_rows(source, first, std::min(kBlockRows, source.num_rows() - first)));
    const at::Tensor codes = encode(c, rows), x = normalise(c.scaling, rows);
    codes_seen.add_(codes.ne(0).sum(0));
    error.add_(squares_by_model(x - normalise(c.scaling, decode(c, codes))));
    total.add_(squares_by_model(x));
    mean += x.sum(at::IntArrayRef{0}, false, at::kDouble) / num_rows;
  }
  total.sub_(mean.square().sum(at::IntArrayRef{1}) * num_rows);
  DictionaryQuality quality{.num_rows = source.num_rows()};
  for (int64_t m = 0; m < c.num_models(); ++m) {
    quality.explained_by_model.push_back(1.0 - (error[m] / total[m].clamp_min(1e-300)).item<double>());
  }
  quality.explained = 1.0 - (error.sum() / total.sum().clamp_min(1e-300)).item<double>();
  quality.l0 = codes_seen.sum().item<double>() / num_rows;
  quality.dead_share = share(codes_seen.eq(0));
  quality.dense_share = share(codes_seen.to(at::kDouble).gt(kDenseShare * num_rows));
  return quality;
}

}  // namespace fi
