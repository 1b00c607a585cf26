#pragma once

#include <string>

#include "fi/features/find_features.h"
#include "fi/training/train_crosscoder.h"
#include "planted_world.h"

namespace fi {

/// A crosscoder trained on rows of a planted world, and the classes of its latents on other rows of it.
struct PlantedStudy {
  PlantedWorld world;
  Crosscoder crosscoder;
  FeatureTable table;
};

/// Shared, exclusive (also rare: half a percent of rows) and reweighted directions, almost twice as many as dimensions.
/// Directions and rates are of `seed`.
PlantedWorld mixed_world(uint64_t seed);

/// The schedule that a run gets (usual_config), with twice as many latents as there are directions and the least whole k that
/// holds what a row holds on average.
TrainingConfig planted_config(const PlantedWorld& world, uint64_t seed);

inline constexpr int64_t kPlantedWidth = 64;
inline constexpr int64_t kPlantedRows = 40'000;
inline constexpr double kPlantedNoise = 0.05;

/// Trains on `rows`, classes on `held_out`.
PlantedStudy study_rows(PlantedWorld world, const at::Tensor& rows, const at::Tensor& held_out, const TrainingConfig& config);
/// With rows and noise of `seed`.
PlantedStudy study_world(PlantedWorld world, const TrainingConfig& config, uint64_t seed);

/// The same dictionary where both models have the vector of a latent that decoder norms call exclusive: now they call it shared.
/// Classed on the rows that `study_world` held out.
PlantedStudy with_norms_hidden(const PlantedStudy& study, uint64_t seed);

/// Against what was planted.
struct PlantedScore {
  int64_t planted = 0;
  int64_t recovered = 0;  // planted features that some latent of the right class points at
  int64_t called = 0;
  int64_t right = 0;         // latents of the class that point at a planted feature of the class
  int64_t hidden = 0;        // of the recovered: those that decoder norms call shared
  int64_t rare_planted = 0;  // in less than a hundredth of rows
  int64_t rare_recovered = 0;
};

/// `kind` is "added", "removed" or "modified".
PlantedScore score_of(const PlantedStudy& study, const std::string& kind);

/// What a planted feature is.
std::string true_kind(const PlantedFeature& feature);
/// One line of what was measured of a latent, and what it points at.
std::string describe(const PlantedStudy& study, const Feature& feature);
/// The same of all that fire.
std::string describe_latents(const PlantedStudy& study);
/// What points at the planted features of a kind that no latent of that class points at, and what was wrongly called so.
std::string describe_missed(const PlantedStudy& study, const std::string& kind);

/// Whether relative decoder norms call a latent one of a single model: the bins of Lindsey et al. (2024), outside 0.1 to 0.9.
bool norms_call_exclusive(const Feature& feature);

}  // namespace fi
