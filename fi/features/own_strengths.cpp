#include "fi/features/own_strengths.h"

#include <algorithm>

namespace fi {
namespace {

constexpr int64_t kRowsAtOnce = 512;

/// What the latents make of a block of rows.
struct Block {
  int64_t first = 0;
  at::Tensor codes;   // [n, num_latents]
  at::Tensor errors;  // [n, 2, d_model] normalised: what no latent explains
};

template <typename Visit>
void visit_blocks(const Crosscoder& c, const RowSource& rows, const char* what, ProgressSink& sink, Visit&& visit) {
  StageProgress progress(sink, what, rows.num_rows(), "rows");
  for (int64_t first = 0; first < rows.num_rows(); first += kRowsAtOnce) {
    check_interrupt();
    const int64_t count = std::min(kRowsAtOnce, rows.num_rows() - first);
    const at::Tensor block = read_rows(rows, first, count), codes = encode(c, block);
    visit(Block{first, codes, normalise(c.scaling, block) - normalise(c.scaling, decode(c, codes))});
    progress.advance(count);
  }
}

// 1 for rows of texts of odd number: [count, 1].
at::Tensor odd_texts(const RowLabels& labels, int64_t first, int64_t count) {
  const at::Tensor odd = at::empty({count, 1}, at::kFloat);
  for (int64_t i = 0; i < count; ++i)
    odd.data_ptr<float>()[i] = static_cast<float>(labels.texts[static_cast<size_t>(first + i)] & 1);
  return odd;
}

at::Tensor unit(const at::Tensor& vectors) { return vectors / vectors.norm(2, {-1}, true).clamp_min(1e-30); }

// Directions by the half of texts that they were fitted on: [2, 2 (model), num_latents, d_model].
at::Tensor fitted_directions(const Crosscoder& c, const RowSource& rows, const RowLabels& labels, ProgressSink& sink) {
  at::Tensor fits = at::zeros({2, 2, c.num_latents(), c.d_model()}), squares = at::zeros({2, 1, c.num_latents(), 1});
  visit_blocks(c, rows, "features: directions", sink, [&](const Block& block) {
    const at::Tensor odd = odd_texts(labels, block.first, block.codes.size(0));
    for (int64_t half = 0; half < 2; ++half) {
      const at::Tensor codes = block.codes * (half == 1 ? odd : 1.0 - odd);
      for (int64_t m = 0; m < 2; ++m) fits[half][m].addmm_(codes.t(), block.errors.select(1, m));
      squares[half].add_(codes.square().sum(0).view({1, -1, 1}));
    }
  });
  return unit(fits + squares * c.decoder.unsqueeze(0));
}

/// Sums of every latent, a text at a time.
class TextSums {
 public:
  TextSums(const Crosscoder& c, const RowLabels& labels)
      : labels_(labels),
        num_categories_(static_cast<int64_t>(labels.category_names.size())),
        open_(at::zeros({2, c.num_latents()}, at::kDouble)) {
    result_.sums.resize(static_cast<size_t>(c.num_latents()));
    result_.firings_by_category.assign(static_cast<size_t>(c.num_latents() * num_categories_), 0);
  }

  /// `reach` [2, n, num_latents]
  void add(const Block& block, const at::Tensor& reach) {
    count_codes(block);
    const int64_t count = block.codes.size(0);
    for (int64_t row = 0; row < count;) {
      const int32_t text = text_of(block.first + row);
      int64_t end = row + 1;
      while (end < count && text_of(block.first + end) == text) ++end;
      if (text != text_) close();
      text_ = text;
      open_.add_(reach.narrow(1, row, end - row).sum(at::IntArrayRef{1}, false, at::kDouble));
      row = end;
    }
  }

  LatentSums finish() {
    close();
    return std::move(result_);
  }

 private:
  int32_t text_of(int64_t row) const { return labels_.texts[static_cast<size_t>(row)]; }

  void count_codes(const Block& block) {
    const at::Tensor codes = block.codes.contiguous();
    const auto* value = codes.const_data_ptr<float>();
    for (int64_t row = 0; row < codes.size(0); ++row) {
      const auto category = static_cast<int64_t>(labels_.categories[static_cast<size_t>(block.first + row)]);
      for (int64_t j = 0; j < codes.size(1); ++j) {
        const float f = *value++;
        if (f == 0.0F) continue;
        ScalingSums& sums = result_.sums[static_cast<size_t>(j)];
        ++sums.num_firings;
        sums.squares += static_cast<double>(f) * f;
        sums.codes += f;
        sums.largest = std::max(sums.largest, f);
        ++result_.firings_by_category[static_cast<size_t>(j * num_categories_ + category)];
      }
    }
  }

  void close() {
    const auto* base = open_.const_data_ptr<double>();
    const double* target = base + open_.size(1);
    for (size_t j = 0; j < result_.sums.size(); ++j) {
      if (base[j] == 0.0 && target[j] == 0.0) continue;  // it fires nowhere in the text
      ScalingSums& sums = result_.sums[j];
      ++sums.num_texts;
      sums.products = {1.0, 0.0, 1.0};
      sums.error[0][0] += base[j];
      sums.error[1][1] += target[j];
      sums.error_ratio[0].add_text(target[j], base[j]);
      sums.error_ratio[1].add_text(base[j], target[j]);
    }
    open_.zero_();
  }

  const RowLabels& labels_;
  int64_t num_categories_;
  int32_t text_ = -1;
  at::Tensor open_;  // [2, num_latents] of the text that is being read
  LatentSums result_;
};

bool is_exclusive(const Feature& f) { return f.kind == "added" || f.kind == "removed"; }

// Whether it is a latent of the other model, or of both, from the view of an exclusive one.
bool is_used_elsewhere(const Feature& exclusive, const Feature& other) {
  if (other.kind == exclusive.kind || other.kind == "undecided" || other.kind == "dead") return false;
  return other.latent != exclusive.latent;
}

}  // namespace

LatentSums own_strengths(const Crosscoder& c, const RowSource& rows, const RowLabels& labels, ProgressSink& progress) {
  const at::Tensor directions = fitted_directions(c, rows, labels, progress);
  const at::Tensor own = (directions * c.decoder.unsqueeze(0)).sum(-1);  // [2, 2, num_latents] what a code of 1 adds
  TextSums sums(c, labels);
  visit_blocks(c, rows, "features", progress, [&](const Block& block) {
    const at::Tensor odd = odd_texts(labels, block.first, block.codes.size(0));
    std::vector<at::Tensor> reach;
    for (int64_t m = 0; m < 2; ++m) {
      const auto along = [&](int64_t half) {
        return block.errors.select(1, m).matmul(directions[half][m].t()) + block.codes * own[half][m];
      };
      reach.push_back(block.codes * (odd * along(0) + (1.0 - odd) * along(1)));
    }
    sums.add(block, at::stack(reach));
  });
  return sums.finish();
}

void join_twins_by_codes(const Crosscoder& c, const RowSource& rows, const FeatureOptions& options,
                         std::vector<Feature>& features, ProgressSink& progress) {
  std::vector<int64_t> exclusive;
  for (const Feature& feature : features) {
    if (is_exclusive(feature)) exclusive.push_back(feature.latent);
  }
  if (exclusive.empty()) return;
  const at::Tensor chosen = at::tensor(exclusive, at::kLong);
  const at::Tensor products = at::zeros({chosen.size(0), c.num_latents()}), squares = at::zeros({c.num_latents()});
  visit_blocks(c, rows, "features: twins", progress, [&](const Block& block) {
    products.addmm_(block.codes.index_select(1, chosen).t(), block.codes);
    squares.add_(block.codes.square().sum(0));
  });
  const at::Tensor norms = squares.sqrt().clamp_min(1e-30);
  const at::Tensor cosines = products / norms / norms.index_select(0, chosen).unsqueeze(1);
  const std::vector<Feature> before = features;
  for (size_t i = 0; i < exclusive.size(); ++i) {
    Feature& feature = features[static_cast<size_t>(exclusive[i])];
    const float* cosine = cosines.const_data_ptr<float>() + static_cast<int64_t>(i) * c.num_latents();
    for (const Feature& other : before) {
      const double found = cosine[other.latent];
      if (found < std::max(options.twin_code_cosine, feature.twin_cosine)) continue;
      if (!is_used_elsewhere(before[static_cast<size_t>(exclusive[i])], other)) continue;
      feature.kind = feature_class_name(FeatureClass::kModified);
      feature.twin = other.latent;
      feature.twin_cosine = found;
    }
  }
}

}  // namespace fi
