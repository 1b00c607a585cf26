#include "fi/compare/latent_use.h"

#include <algorithm>
#include <span>

#include "fi/core/progress.h"

namespace fi {
namespace {

constexpr int64_t kBlockRows = 512;

at::Tensor indices_of(const std::vector<int64_t>& latents) { return at::tensor(at::ArrayRef<int64_t>(latents), at::kLong); }

// The crosscoder with these latents alone.
Crosscoder part_of(const Crosscoder& c, const at::Tensor& latents) {
  Crosscoder part = c;
  part.encoder = c.encoder.index_select(2, latents);
  part.encoder_bias = c.encoder_bias.index_select(0, latents);
  part.decoder = c.decoder.index_select(1, latents);
  if (c.jump_threshold.defined()) part.jump_threshold = c.jump_threshold.index_select(0, latents);
  return part;
}

// Decoder vectors in the models' own units: [num_models, num_latents, d_model].
at::Tensor raw_vectors(const Crosscoder& c) { return c.decoder / c.scaling.scale.view({-1, 1, 1}); }

// Along which either model's rows are looked at: [2, num_latents, d_model].
at::Tensor directions_of(const at::Tensor& vectors, bool has_one_space) {
  const at::Tensor norms = vectors.norm(2, {2}, true);  // [2, num_latents, 1]
  const at::Tensor units = vectors / norms.clamp_min(1e-30);
  return has_one_space ? at::where(norms[1] >= norms[0], units[1], units[0]).expand_as(units) : units;
}

/// Chosen latents, and what both models make of them on a block of rows.
class LatentReach {
 public:
  LatentReach(const Crosscoder& c, const std::vector<int64_t>& latents, bool has_one_space)
      : c_(c),
        latents_(indices_of(latents)),
        vectors_(raw_vectors(part_of(c, latents_))),
        directions_(directions_of(vectors_, has_one_space)),
        own_((directions_ * vectors_).sum(2).t()) {}

  struct Block {
    at::Tensor codes;  // [num_rows, num_latents]
    at::Tensor reach;  // [num_rows, num_latents, 2]
  };
  Block on(const at::Tensor& rows) const {
    const at::Tensor all = encode(c_, rows), error = rows - decode(c_, all);
    const at::Tensor codes = all.index_select(1, latents_);
    const at::Tensor unexplained = at::einsum("nmd,mld->nlm", {error, directions_});
    return {codes, (unexplained + codes.unsqueeze(2) * own_) * codes.gt(0).unsqueeze(2)};
  }

  const at::Tensor& vectors() const { return vectors_; }

 private:
  const Crosscoder& c_;
  at::Tensor latents_;
  at::Tensor vectors_;     // [2, num_latents, d_model]
  at::Tensor directions_;  // [2, num_latents, d_model]
  at::Tensor own_;         // [num_latents, 2] what a code of 1 adds along the direction
};

/// Sums over blocks of rows.
class UseSums {
 public:
  UseSums(const Crosscoder& c, const std::vector<int64_t>& latents, int64_t num_categories, bool has_one_space)
      : has_one_space_(has_one_space),
        reach_(c, latents, has_one_space),
        change_(reach_.vectors()[1] - reach_.vectors()[0]),
        mean_change_(c.scaling.mean[1] - c.scaling.mean[0]),
        strength_(at::zeros({num_categories, change_.size(0), 2}, at::kDouble)),
        explained_(at::zeros({change_.size(0)}, at::kDouble)) {}

  void add(const at::Tensor& rows, const at::Tensor& categories) {
    const auto [codes, reach] = reach_.on(rows);
    strength_.index_add_(0, categories, reach.to(at::kDouble));
    if (!has_one_space_) return;
    const at::Tensor difference = rows.select(1, 1) - rows.select(1, 0) - mean_change_;
    const at::Tensor gain = 2.0 * codes * difference.matmul(change_.t()) - codes.square() * change_.square().sum(1);
    explained_.add_(gain.sum(at::IntArrayRef{0}, false, at::kDouble));
    difference_ += difference.square().sum(at::kDouble).item<double>();
  }

  LatentUse finish(std::vector<double> rows_by_category) const {
    LatentUse use{.strength = strength_.transpose(0, 1), .rows_by_category = std::move(rows_by_category)};
    for (int64_t i = 0; i < explained_.size(0); ++i) {
      const double gain = std::max(0.0, explained_[i].item<double>());
      use.share_of_difference.push_back(difference_ > 0.0 ? gain / difference_ : 0.0);
    }
    return use;
  }

 private:
  bool has_one_space_;
  LatentReach reach_;
  at::Tensor change_;       // [num_latents, d_model]
  at::Tensor mean_change_;  // [d_model]
  at::Tensor strength_;     // [num_categories, num_latents, 2]
  at::Tensor explained_;    // [num_latents]
  double difference_ = 0.0;
};

// What `measure` makes of each block of rows, one after the other.
template <typename Measure>
at::Tensor over_blocks(const RowSource& rows, at::Tensor none, const Measure& measure) {
  std::vector<at::Tensor> blocks = {std::move(none)};
  for (int64_t first = 0; first < rows.num_rows(); first += kBlockRows) {
    check_interrupt();
    blocks.push_back(measure(read_rows(rows, first, std::min(kBlockRows, rows.num_rows() - first))));
  }
  return at::cat(blocks);
}

}  // namespace

at::Tensor codes_of(const Crosscoder& c, const RowSource& rows, const std::vector<int64_t>& latents) {
  const Crosscoder part = part_of(c, indices_of(latents));
  return over_blocks(rows, at::empty({0, part.num_latents()}),
                     [&](const at::Tensor& block) { return scaled_codes(part, encode(part, block)); });
}

at::Tensor reach_of_latents(const Crosscoder& c, const RowSource& rows, const std::vector<int64_t>& latents, bool has_one_space) {
  const LatentReach reach(c, latents, has_one_space);
  return over_blocks(rows, at::empty({0, static_cast<int64_t>(latents.size()), 2}),
                     [&](const at::Tensor& block) { return reach.on(block).reach; });
}

LatentUse use_of_latents(const Crosscoder& c, const RowSource& rows, const std::vector<int32_t>& categories,
                         int64_t num_categories, const std::vector<int64_t>& latents, bool has_one_space) {
  UseSums sums(c, latents, num_categories, has_one_space);
  std::vector<double> counts(static_cast<size_t>(num_categories));
  for (const int32_t category : categories) counts[static_cast<size_t>(category)] += 1.0;
  for (int64_t first = 0; first < rows.num_rows(); first += kBlockRows) {
    check_interrupt();
    const int64_t count = std::min(kBlockRows, rows.num_rows() - first);
    const auto part = std::span(categories).subspan(static_cast<size_t>(first), static_cast<size_t>(count));
    sums.add(read_rows(rows, first, count), at::tensor(at::ArrayRef<int32_t>(part.data(), part.size()), at::kInt));
  }
  return sums.finish(std::move(counts));
}

at::Tensor unit_vector(const Crosscoder& c, int64_t model, int64_t latent) {
  const at::Tensor vector = c.decoder[model][latent];
  return vector / vector.norm().clamp_min(1e-30);
}

int64_t stronger_model(const Crosscoder& c, int64_t latent) {
  const at::Tensor norms = c.decoder.select(1, latent).norm(2, {1}) / c.scaling.scale;
  return norms[1].item<double>() >= norms[0].item<double>() ? 1 : 0;
}

}  // namespace fi
