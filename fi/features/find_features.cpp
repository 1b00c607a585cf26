#include "fi/features/find_features.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "fi/core/error.h"
#include "fi/dictionary/quality.h"
#include "fi/features/classify.h"
#include "fi/features/own_strengths.h"
#include "fi/features/scaling_sums.h"

namespace fi {
namespace {

constexpr int64_t kBlockRows = 512;

// The non-zero codes of a dense block.
ActiveCodes active_codes_of(const at::Tensor& codes) {
  ActiveCodes active;
  const at::Tensor places = codes.nonzero().contiguous();  // [num_active, 2], in the order of rows, then latents
  const at::Tensor values = codes.masked_select(codes.ne(0));
  active.code.assign(values.const_data_ptr<float>(), values.const_data_ptr<float>() + values.numel());
  active.row_start.assign(static_cast<size_t>(codes.size(0)) + 1, 0);
  const auto* place = places.const_data_ptr<int64_t>();
  for (int64_t i = 0; i < places.size(0); ++i) {
    active.row.push_back(static_cast<int32_t>(place[2 * i]));
    active.latent.push_back(static_cast<int32_t>(place[2 * i + 1]));
    ++active.row_start[static_cast<size_t>(place[2 * i]) + 1];
  }
  std::partial_sum(active.row_start.begin(), active.row_start.end(), active.row_start.begin());
  index_by_latent(active, codes.size(1));
  return active;
}

void check_labels(const RowLabels& labels, const RowSource& rows) {
  const auto count = static_cast<size_t>(rows.num_rows());
  invariant(labels.texts.size() == count && labels.categories.size() == count && !labels.category_names.empty(),
            "every row needs a text and a category");
  for (const int32_t category : labels.categories) {
    invariant(category >= 0 && static_cast<size_t>(category) < labels.category_names.size(), "category {} has no name", category);
  }
}

// Decoder vectors in the space that the dictionary was trained in: [num_latents, 2 * d_model].
at::Tensor vectors_by_latent(const Crosscoder& c) {
  return c.decoder.permute({1, 0, 2}).reshape({c.num_latents(), -1}).contiguous();
}

Feature feature_of(const ScalingSums& sums, int64_t latent, double num_rows) {
  const auto firings = static_cast<double>(std::max<int64_t>(1, sums.num_firings));
  return {.latent = latent,
          .num_firings = sums.num_firings,
          .num_texts = sums.num_texts,
          .firing_rate = static_cast<double>(sums.num_firings) / num_rows,
          .mean_code = sums.codes / firings,
          .max_code = sums.largest};
}

void add_decoder_measures(const Crosscoder& c, std::vector<Feature>& features) {
  const at::Tensor norms = c.decoder.norm(2, {2});  // [2, num_latents]
  const at::Tensor products = (c.decoder[0] * c.decoder[1]).sum(1);
  const at::Tensor scale = code_norms(c);
  for (Feature& f : features) {
    f.base_norm = norms[0][f.latent].item<double>();
    f.target_norm = norms[1][f.latent].item<double>();
    const double both = f.base_norm + f.target_norm, area = f.base_norm * f.target_norm;
    f.target_norm_share = both > 0.0 ? f.target_norm / both : 0.5;
    f.decoder_cosine = area > 0.0 ? products[f.latent].item<double>() / area : 0.0;
    f.mean_code *= scale[f.latent].item<double>();
    f.max_code *= scale[f.latent].item<double>();
  }
}

void add_block(const Crosscoder& c, const RowSource& rows, const RowLabels& labels, int64_t first, int64_t count,
               ScalingAccumulator& accumulator) {
  const at::Tensor block = read_rows(rows, first, count), codes = encode(c, block);
  const at::Tensor reconstruction = normalise(c.scaling, decode(c, codes)).contiguous();
  const at::Tensor errors = (normalise(c.scaling, block) - reconstruction).contiguous();
  const auto part = [&](const std::vector<int32_t>& all) {
    return std::span(all).subspan(static_cast<size_t>(first), static_cast<size_t>(count));
  };
  accumulator.add(active_codes_of(codes), errors.const_data_ptr<float>(), reconstruction.const_data_ptr<float>(),
                  part(labels.texts), part(labels.categories));
}

// Everything but what the decoder alone says.
FeatureTable table_of(const LatentSums& measured, const std::array<double, 2>& scale, const RowLabels& labels,
                      const FeatureOptions& options) {
  const auto num_categories = static_cast<std::ptrdiff_t>(labels.category_names.size());
  FeatureTable table{.categories = labels.category_names,
                     .rows_by_category = std::vector<int64_t>(labels.category_names.size()),
                     .num_rows = static_cast<int64_t>(labels.texts.size())};
  for (const int32_t category : labels.categories) ++table.rows_by_category[static_cast<size_t>(category)];
  const auto num_rows = static_cast<double>(std::max<int64_t>(1, table.num_rows));
  auto firings = measured.firings_by_category.begin();
  for (const ScalingSums& sums : measured.sums) {
    Feature& feature = table.features.emplace_back(feature_of(sums, static_cast<int64_t>(table.features.size()), num_rows));
    feature.firings_by_category.assign(firings, firings + num_categories);
    firings += num_categories;
    classify(sums, scale, options, feature);
    table.num_dead += sums.num_firings == 0;
    table.num_dense += feature.firing_rate > options.dense_share;
  }
  return table;
}

FeatureTable features_by_scaling(const Crosscoder& c, const RowSource& rows, const RowLabels& labels,
                                 const FeatureOptions& options, ProgressSink& sink) {
  const at::Tensor vectors = vectors_by_latent(c);
  ScalingAccumulator accumulator(c.num_latents(), c.d_model(), vectors.const_data_ptr<float>(),
                                 static_cast<int64_t>(labels.category_names.size()));
  StageProgress progress(sink, "features", rows.num_rows(), "rows");
  for (int64_t first = 0; first < rows.num_rows(); first += kBlockRows) {
    check_interrupt();
    const int64_t count = std::min(kBlockRows, rows.num_rows() - first);
    add_block(c, rows, labels, first, count, accumulator);
    progress.advance(count);
  }
  const std::array<double, 2> scale = {c.scaling.scale[0].item<double>(), c.scaling.scale[1].item<double>()};
  FeatureTable table = table_of(accumulator.finish(), scale, labels, options);
  add_decoder_measures(c, table.features);
  join_twins(c, options, table.features);
  return table;
}

FeatureTable features_by_own_strength(const Crosscoder& c, const RowSource& rows, const RowLabels& labels, FeatureOptions options,
                                      ProgressSink& progress) {
  options.modified_factor = std::numeric_limits<double>::infinity();
  FeatureTable table = table_of(own_strengths(c, rows, labels, progress), {1.0, 1.0}, labels, options);
  add_decoder_measures(c, table.features);
  for (Feature& feature : table.features) feature.decoder_cosine = 0.0;
  join_twins_by_codes(c, rows, options, table.features, progress);
  return table;
}

}  // namespace

RowLabels unlabelled(int64_t num_rows) {
  RowLabels labels{.texts = std::vector<int32_t>(static_cast<size_t>(num_rows)),
                   .categories = std::vector<int32_t>(static_cast<size_t>(num_rows), 0),
                   .category_names = {"all"}};
  std::iota(labels.texts.begin(), labels.texts.end(), 0);
  return labels;
}

FeatureTable find_features(const Crosscoder& c, const RowSource& rows, const RowLabels& labels, const FeatureOptions& options,
                           ProgressSink& progress) {
  check(c.view == RowView::kModels && c.num_models() == 2, ErrorCode::kUnsupported,
        "[features] classes need a crosscoder of two models; this dictionary reads something else.");
  check(c.scaling.has_one_width() || !options.has_one_space, ErrorCode::kUnsupported,
        "[features] the models are {} wide: rows of one cannot be set against vectors of the other.",
        fmt::join(c.scaling.widths, " and "));
  check_rows_fit(c, rows);
  check_labels(labels, rows);
  return options.has_one_space ? features_by_scaling(c, rows, labels, options, progress)
                               : features_by_own_strength(c, rows, labels, options, progress);
}

}  // namespace fi
