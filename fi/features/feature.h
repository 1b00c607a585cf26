#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fi/core/json_fields.h"

namespace fi {

/// What two models make of a latent. Never by decoder norm: a dictionary gives both models a vector whether they use it or not.
enum class FeatureClass {
  kShared,     // both use it alike
  kAdded,      // the target uses it, the base does not
  kRemoved,    // the base uses it, the target does not
  kModified,   // both use it, not alike: stronger or weaker (reweighted), or along another direction
  kUndecided,  // fires too seldom, or its own direction is not borne out by the rows
  kDead        // never fires
};
const char* feature_class_name(FeatureClass kind);

/// A ratio with its 95% interval over texts.
struct Ratio {
  double value = 0.0;
  double low = 0.0;
  double high = 0.0;
};

template <typename Visit>
void visit_fields(Ratio& r, Visit&& visit) {
  visit("value", r.value);
  visit("low", r.low);
  visit("high", r.high);
}

/// A latent with its evidence.
struct Feature {
  int64_t latent = 0;
  std::string kind;        // feature_class_name
  double base_norm = 0.0;  // of its decoder vectors, normalised space
  double target_norm = 0.0;
  double target_norm_share = 0.0;  // target / (base + target): shown, never decided by
  double decoder_cosine = 0.0;     // between both vectors
  int64_t num_firings = 0;
  int64_t num_texts = 0;  // with at least one firing
  double firing_rate = 0.0;
  double mean_code = 0.0;  // scaled, where it fires
  double max_code = 0.0;   // scaled
  // Without a common space (own_strengths): how far one model reaches along its own direction, over the other along its own.
  // Else latent scaling: how much of the direction that one model's decoder gives the latent is in the other model where it
  // fires, 0: none, 1: as much. "Base" is the base's share of the target's direction (small: added), "target" the target's share
  // of the base's.
  Ratio nu_error_base;  // in what the other latents leave unexplained
  Ratio nu_error_target;
  double nu_reconstruction_base = 0.0;  // in the reconstruction
  double nu_reconstruction_target = 0.0;
  // In the reconstruction without the latent itself. A seldom firing latent keeps much of its first decoder vector in the model
  // that lacks it, which the published nu_reconstruction then takes for use; what tells a twin is whether other latents write
  // there.
  double nu_others_base = 0.0;
  double nu_others_target = 0.0;

  double use_ratio = 0.0;    // strength in the target over that in the base, along their common direction
  int64_t twin = -1;         // latent that the other model uses, with (almost) the same direction
  double twin_cosine = 0.0;  // of their vectors, or without a common space of their codes
  std::vector<int64_t> firings_by_category;
};

template <typename Visit>
void visit_fields(Feature& f, Visit&& visit) {
  visit("latent", f.latent);
  visit("kind", f.kind);
  visit("base_norm", f.base_norm);
  visit("target_norm", f.target_norm);
  visit("target_norm_share", f.target_norm_share);
  visit("decoder_cosine", f.decoder_cosine);
  visit("num_firings", f.num_firings);
  visit("num_texts", f.num_texts);
  visit("firing_rate", f.firing_rate);
  visit("mean_code", f.mean_code);
  visit("max_code", f.max_code);
  visit("nu_error_base", f.nu_error_base);
  visit("nu_error_target", f.nu_error_target);
  visit("nu_reconstruction_base", f.nu_reconstruction_base);
  visit("nu_reconstruction_target", f.nu_reconstruction_target);
  visit("nu_others_base", f.nu_others_base);
  visit("nu_others_target", f.nu_others_target);
  visit("use_ratio", f.use_ratio);
  visit("twin", f.twin);
  visit("twin_cosine", f.twin_cosine);
  visit("firings_by_category", f.firings_by_category);
}

}  // namespace fi
