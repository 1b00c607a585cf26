#include "fi/features/classify.h"

#include <algorithm>
#include <cmath>
#include <limits>

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

double root_of(double value) { return std::sqrt(std::max(0.0, value)); }

// With r the strength in the target over that in the base and c the cosine of what the models hold, nu_error_base is c / r and
// nu_error_target c r. Both are asked: a latent that holds a bit of another feature beside its own is far from 1 in one of them
// only.
bool is_modified(const Feature& f, const Ratio& share, const Limits& alike) {
  if (!is_outside(share, alike)) return false;
  const Ratio &base = f.nu_error_base, &target = f.nu_error_target;
  if (base.value == 0.0 || target.value == 0.0) return true;  // the weaker model's own vector is not borne out and says nothing
  const double largest_cosine = root_of(base.high) * root_of(target.high);
  if (largest_cosine < alike.low) return true;
  const double smallest_ratio = root_of(target.low / base.high);
  const double largest_ratio = base.low > 0.0 ? root_of(target.high / base.low) : std::numeric_limits<double>::infinity();
  return largest_ratio < alike.low || smallest_ratio > alike.high;
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
  return is_modified(f, share, alike) ? FeatureClass::kModified : FeatureClass::kShared;
}

std::vector<int64_t> latents_of(const std::vector<Feature>& features, FeatureClass kind) {
  std::vector<int64_t> latents;
  for (const Feature& feature : features) {
    if (feature.kind == feature_class_name(kind)) latents.push_back(feature.latent);
  }
  return latents;
}

// Latents that this model uses: its exclusive ones, and those of both models whose direction clearly is in its rows.
std::vector<int64_t> latents_used_by(int64_t model, const std::vector<Feature>& features, const FeatureOptions& options) {
  std::vector<int64_t> latents = latents_of(features, model == 0 ? FeatureClass::kRemoved : FeatureClass::kAdded);
  for (const FeatureClass kind : {FeatureClass::kShared, FeatureClass::kModified}) {
    for (const int64_t latent : latents_of(features, kind)) {
      const Feature& feature = features[static_cast<size_t>(latent)];
      const Ratio& share = model == 0 ? feature.nu_error_base : feature.nu_error_target;
      if (share.low > options.exclusive_error) latents.push_back(latent);
    }
  }
  return latents;
}

struct Twin {
  int64_t latent = 0;
  int64_t twin = -1;
  double cosine = 0.0;
};

at::Tensor unit_vectors(const Crosscoder& c, int64_t model, const std::vector<int64_t>& latents) {
  const at::Tensor vectors = c.decoder[model].index_select(0, at::tensor(latents, at::kLong));
  return vectors / vectors.norm(2, {1}, true).clamp_min(1e-30);
}

// For each exclusive latent of `model` the one of `users`, latents of the other model, that writes most nearly its direction
// there.
std::vector<Twin> nearest_users(const Crosscoder& c, int64_t model, const std::vector<int64_t>& exclusive,
                                const std::vector<int64_t>& users) {
  std::vector<Twin> twins;
  if (exclusive.empty() || users.empty()) return twins;
  const auto [cosines, places] = unit_vectors(c, model, exclusive).matmul(unit_vectors(c, 1 - model, users).t()).max(1);
  for (size_t i = 0; i < exclusive.size(); ++i) {
    const auto at = static_cast<int64_t>(i);
    twins.push_back({exclusive[i], users[static_cast<size_t>(places[at].item<int64_t>())], cosines[at].item<double>()});
  }
  return twins;
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
  std::vector<Twin> twins;
  for (const int64_t model : {0, 1}) {
    const FeatureClass own = model == 0 ? FeatureClass::kRemoved : FeatureClass::kAdded;
    const auto found = nearest_users(c, model, latents_of(features, own), latents_used_by(1 - model, features, options));
    twins.insert(twins.end(), found.begin(), found.end());
  }
  for (const Twin& found : twins) {
    if (found.cosine < options.twin_cosine) continue;
    Feature& feature = features[static_cast<size_t>(found.latent)];
    feature.kind = feature_class_name(FeatureClass::kModified);
    feature.twin = found.twin;
    feature.twin_cosine = found.cosine;
  }
}

}  // namespace fi
