#include "fi/features/classify.h"

#include <algorithm>
#include <cmath>

namespace fi {
namespace {

constexpr double kNormalQuantile = 1.959964;  // 97.5%

struct Limits {
  double low;
  double high;
};

bool is_outside(const Ratio& ratio, const Limits& limits) { return ratio.high < limits.low || ratio.low > limits.high; }

double share_of(double numerator, double denominator) { return denominator > 0.0 ? numerator / denominator : 0.0; }

// Whether the latent's own vector in this model is there at all, beyond the noise between texts.
bool is_borne_out(const RatioSums& sums, int64_t num_texts) {
  const auto n = static_cast<double>(std::max<int64_t>(1, num_texts));
  const double variance = std::max(0.0, sums.denominator_squares - sums.denominator * sums.denominator / n);
  return sums.denominator > kNormalQuantile * std::sqrt(variance);
}

// Along its own vector: sum f <d, leave-one-out residual> / |d|. The model that uses a latent more strongly is the one whose
// vector is asked for in the other: the vector of a model that hardly uses it means nothing.
double strength_in(const ScalingSums& sums, size_t model) {
  return share_of(sums.error[model][model], std::sqrt(sums.products[2 * model]));
}

FeatureClass class_of(const ScalingSums& sums, const std::array<double, 2>& scale, const Feature& f,
                      const FeatureOptions& options) {
  if (sums.num_firings == 0) return FeatureClass::kDead;
  if (sums.num_firings < options.min_firings || sums.num_texts < options.min_texts) return FeatureClass::kUndecided;
  const bool is_target = strength_in(sums, 1) / scale[1] >= strength_in(sums, 0) / scale[0];
  if (!is_borne_out(sums.error_ratio[is_target ? 1 : 0], sums.num_texts)) return FeatureClass::kUndecided;
  const Ratio& share = is_target ? f.nu_error_base : f.nu_error_target;
  const double others = is_target ? f.nu_others_base : f.nu_others_target;
  if (share.high < options.exclusive_error && others < options.exclusive_others) {
    return is_target ? FeatureClass::kAdded : FeatureClass::kRemoved;
  }
  const Limits alike{1.0 / options.modified_factor, options.modified_factor};
  return is_outside(share, alike) ? FeatureClass::kModified : FeatureClass::kShared;
}

}  // namespace

const char* feature_class_name(FeatureClass kind) {
  switch (kind) {
    case FeatureClass::kShared: return "shared";
    case FeatureClass::kAdded: return "added";
    case FeatureClass::kRemoved: return "removed";
    case FeatureClass::kModified: return "modified";
    case FeatureClass::kUndecided: return "undecided";
    case FeatureClass::kDead: return "dead";
  }
  return "";
}

Ratio ratio_of(const RatioSums& sums, int64_t num_texts) {
  if (!is_borne_out(sums, num_texts)) return {};
  const auto n = static_cast<double>(num_texts);
  const double ratio = sums.numerator / sums.denominator;
  const double residual = sums.numerator_squares - 2.0 * ratio * sums.products + ratio * ratio * sums.denominator_squares;
  const double spread = std::sqrt(std::max(0.0, residual) * n / std::max(1.0, n - 1.0)) / sums.denominator;
  return {ratio, ratio - kNormalQuantile * spread, ratio + kNormalQuantile * spread};
}

void classify(ScalingSums sums, const std::array<double, 2>& scale, const FeatureOptions& options, Feature& feature) {
  to_raw_units(scale, sums);
  feature.nu_error_base = ratio_of(sums.error_ratio[1], sums.num_texts);
  feature.nu_error_target = ratio_of(sums.error_ratio[0], sums.num_texts);
  feature.nu_reconstruction_base = share_of(sums.reconstruction[1][0], sums.reconstruction[1][1]);
  feature.nu_reconstruction_target = share_of(sums.reconstruction[0][1], sums.reconstruction[0][0]);
  const double own = sums.squares * sums.products[1];
  feature.nu_others_base = share_of(sums.reconstruction[1][0] - own * scale[1] / scale[0], sums.reconstruction[1][1]);
  feature.nu_others_target = share_of(sums.reconstruction[0][1] - own * scale[0] / scale[1], sums.reconstruction[0][0]);
  const double up = feature.nu_error_target.value, down = feature.nu_error_base.value;
  feature.use_ratio = up > 0.0 && down > 0.0 ? std::sqrt(up / down) : 0.0;
  feature.kind = feature_class_name(class_of(sums, scale, feature, options));
}

void join_twins(const Crosscoder& c, const FeatureOptions& options, std::vector<Feature>& features) {
  std::vector<int64_t> added, removed;
  for (const Feature& feature : features) {
    if (feature.kind == feature_class_name(FeatureClass::kAdded)) added.push_back(feature.latent);
    if (feature.kind == feature_class_name(FeatureClass::kRemoved)) removed.push_back(feature.latent);
  }
  if (added.empty() || removed.empty()) return;
  const auto directions = [&](int64_t model, const std::vector<int64_t>& latents) {
    const at::Tensor vectors = c.decoder[model].index_select(0, at::tensor(latents, at::kLong));
    return vectors / vectors.norm(2, {1}, true).clamp_min(1e-30);
  };
  const at::Tensor cosines = directions(1, added).matmul(directions(0, removed).t());
  for (size_t i = 0; i < added.size(); ++i) {
    for (size_t j = 0; j < removed.size(); ++j) {
      const double cosine = cosines[static_cast<int64_t>(i)][static_cast<int64_t>(j)].item<double>();
      if (cosine < options.twin_cosine) continue;
      Feature &a = features[static_cast<size_t>(added[i])], &b = features[static_cast<size_t>(removed[j])];
      a.kind = b.kind = feature_class_name(FeatureClass::kModified);
      a.twin = b.latent;
      b.twin = a.latent;
      a.twin_cosine = b.twin_cosine = cosine;
    }
  }
}

}  // namespace fi
