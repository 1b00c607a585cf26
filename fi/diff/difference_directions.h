#pragma once

#include <optional>
#include <string>
#include <vector>

#include "fi/capture/paired_rows.h"

namespace fi {

/// A direction of the residual stream along which the target differs from the base.
struct DifferenceDirection {
  int64_t layer = 0;
  std::string label;                 // "pca-0" (the largest share), "pca-1", ..., "mean"
  at::Tensor direction;              // [d_model] fp32, unit length; the few rows that move far move along it, not against it
  double share_of_difference = 0.0;  // of the sum of squares of the difference
};

/// The leading right singular vectors of the rows' differences, target - base, not centred: a shift of every row counts. At most
/// `count`, and none where the models agree.
std::vector<DifferenceDirection> difference_directions(const PairedRows& rows, int64_t count);

/// The difference of both models' means; none where they agree.
std::optional<DifferenceDirection> mean_difference_direction(const PairedRows& rows);

/// How far the target moved along a direction: (target - base) . direction for every row, [n].
at::Tensor movement_along(const PairedRows& rows, const at::Tensor& direction);

/// Where both models' rows lie along a direction, from the mean of the base's rows: [n, 2], base and target.
at::Tensor places_along(const PairedRows& rows, const at::Tensor& direction);

/// Mean of the absolute places of both models' rows.
struct DirectionUse {
  double base = 0.0;
  double target = 0.0;
};

/// Over the rows for which `chosen` [n] is true. `places` as places_along() gives them.
DirectionUse use_of_direction(const at::Tensor& places, const at::Tensor& chosen);

}  // namespace fi
