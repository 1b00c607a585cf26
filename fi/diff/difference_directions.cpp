#include "fi/diff/difference_directions.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace fi {

std::vector<DifferenceDirection> difference_directions(const PairedRows& rows, int64_t count) {
  const at::Tensor difference = rows.target - rows.base;
  const double total = difference.numel() > 0 ? difference.square().sum(at::kDouble).item<double>() : 0.0;
  if (total <= 0.0) return {};
  const at::Tensor moment = at::matmul(difference.t(), difference);
  const auto [values, vectors] = at::linalg_eigh(moment.to(at::kDouble));
  std::vector<DifferenceDirection> directions;
  const int64_t size = moment.size(0);
  for (int64_t i = 0; i < std::min(count, size); ++i) {
    const double share = values[size - 1 - i].item<double>() / total;
    at::Tensor direction = vectors.select(1, size - 1 - i).to(at::kFloat).contiguous();
    if (at::mv(difference, direction).pow(3).sum(at::kDouble).item<double>() < 0.0) direction = direction.neg();
    directions.push_back({.layer = rows.layer,
                          .label = fmt::format("pca-{}", i),
                          .direction = std::move(direction),
                          .share_of_difference = share});
  }
  return directions;
}

std::optional<DifferenceDirection> mean_difference_direction(const PairedRows& rows) {
  const at::Tensor difference = rows.target - rows.base;
  const double total = difference.numel() > 0 ? difference.square().sum(at::kDouble).item<double>() : 0.0;
  if (total <= 0.0) return std::nullopt;
  const at::Tensor mean = difference.mean(0);
  const double length = mean.norm().item<double>();
  if (length <= 0.0) return std::nullopt;
  at::Tensor direction = mean.div(length).contiguous();
  const double explained = at::mv(difference, direction).square().sum(at::kDouble).item<double>();
  return DifferenceDirection{rows.layer, "mean", std::move(direction), explained / total};
}

at::Tensor movement_along(const PairedRows& rows, const at::Tensor& direction) {
  return at::mv(rows.target - rows.base, direction);
}

at::Tensor places_along(const PairedRows& rows, const at::Tensor& direction) {
  const at::Tensor base = at::mv(rows.base, direction), target = at::mv(rows.target, direction);
  return at::stack({base, target}, 1) - base.mean(at::kDouble).item<double>();
}

DirectionUse use_of_direction(const at::Tensor& places, const at::Tensor& chosen) {
  const auto mean_of = [&](int64_t model) {
    const at::Tensor kept = places.select(1, model).masked_select(chosen);
    return kept.numel() > 0 ? kept.abs().mean(at::kDouble).item<double>() : 0.0;
  };
  return {.base = mean_of(0), .target = mean_of(1)};
}

}  // namespace fi
