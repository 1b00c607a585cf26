#include "fi/model/rope.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "fi/model/row_kernels.h"

namespace fi {
namespace {

at::Tensor plain_frequencies(double theta, int64_t rotary_dim) {
  return at::pow(theta, at::arange(rotary_dim / 2, at::kFloat).mul(2.0 / static_cast<double>(rotary_dim))).reciprocal();
}

// High frequencies stay, low ones are divided, those between are blended (Llama 3.1).
at::Tensor llama3_frequencies(const at::Tensor& plain, const RopeConfig& rope) {
  const at::Tensor rotations = plain.mul(rope.original_positions / (2.0 * std::numbers::pi));
  const at::Tensor kept =
      rotations.sub(rope.low_frequency_factor).div(rope.high_frequency_factor - rope.low_frequency_factor).clamp(0.0, 1.0);
  return plain.div(rope.factor).mul(1 - kept).add(plain.mul(kept));
}

// The dimension that makes so many rotations within the original length.
double dimension_of(double rotations, const RopeConfig& rope, int64_t rotary_dim) {
  return static_cast<double>(rotary_dim) * std::log(rope.original_positions / (rotations * 2.0 * std::numbers::pi)) /
         (2.0 * std::log(rope.theta));
}

at::Tensor yarn_frequencies(const at::Tensor& plain, const RopeConfig& rope, int64_t rotary_dim) {
  double low = dimension_of(rope.beta_fast, rope, rotary_dim), high = dimension_of(rope.beta_slow, rope, rotary_dim);
  if (rope.truncate) low = std::floor(low), high = std::ceil(high);
  low = std::max(low, 0.0);
  high = std::min(high, static_cast<double>(rotary_dim - 1));
  if (low == high) high += 0.001;
  const at::Tensor divided = at::arange(rotary_dim / 2, at::kFloat).sub(low).div(high - low).clamp(0.0, 1.0);
  return plain.div(rope.factor).mul(divided).add(plain.mul(1 - divided));
}

double yarn_magnitude(double factor, double scale) { return factor <= 1.0 ? 1.0 : 0.1 * scale * std::log(factor) + 1.0; }

double attention_factor(const RopeConfig& rope) {
  if (rope.attention_factor) return *rope.attention_factor;
  if (rope.scaling == RopeScaling::kYarn) {
    const bool has_scales = rope.mscale > 0.0 && rope.mscale_all_dim > 0.0;
    return has_scales ? yarn_magnitude(rope.factor, rope.mscale) / yarn_magnitude(rope.factor, rope.mscale_all_dim)
                      : yarn_magnitude(rope.factor, 1.0);
  }
  if (rope.scaling == RopeScaling::kLongRope && rope.factor > 1.0)
    return std::sqrt(1.0 + std::log(rope.factor) / std::log(rope.original_positions));
  return 1.0;
}

}  // namespace

at::Tensor rotary_frequencies(const RopeConfig& rope, int64_t rotary_dim) {
  at::Tensor plain = plain_frequencies(rope.theta, rotary_dim);
  if (!rope.divisors.empty()) plain = plain.div(at::tensor(at::ArrayRef<double>(rope.divisors), at::kFloat));
  switch (rope.scaling) {
    case RopeScaling::kLinear: return plain.div(rope.factor);
    case RopeScaling::kLlama3: return llama3_frequencies(plain, rope);
    case RopeScaling::kYarn: return yarn_frequencies(plain, rope, rotary_dim);
    case RopeScaling::kNone:
    case RopeScaling::kDynamic:
    case RopeScaling::kLongRope: break;
  }
  return plain;
}

RotaryTable make_rotary_table(const RopeConfig& rope, int64_t rotary_dim, int64_t max_positions) {
  const at::Tensor angle = at::outer(at::arange(max_positions, at::kFloat), rotary_frequencies(rope, rotary_dim));
  const at::Tensor cos = angle.cos().mul_(attention_factor(rope));
  const at::Tensor sin = angle.sin().mul_(attention_factor(rope));
  return {.cos = at::cat({cos, cos}, 1), .sin = at::cat({sin.neg(), sin}, 1)};
}

namespace {

// One pass over memory where the definition in tensors takes five.
at::Tensor rotate_on_cpu(const at::Tensor& x, const RotaryTable& table, const at::Tensor& positions) {
  const at::Tensor rows = x.contiguous();
  at::Tensor rotated = at::empty_like(rows);
  const int64_t heads = rows.size(1), head_dim = rows.size(2), width = table.cos.size(1);
  const int64_t* position = positions.const_data_ptr<int64_t>();
  const float *cos = table.cos.const_data_ptr<float>(), *sin = table.sin.const_data_ptr<float>();
  at::parallel_for(0, rows.size(0), rows_a_task(heads * head_dim), [&](int64_t begin, int64_t end) {
    for (int64_t at = begin * heads; at < end * heads; ++at) {
      const float* from = rows.const_data_ptr<float>() + at * head_dim;
      float* to = rotated.mutable_data_ptr<float>() + at * head_dim;
      const int64_t place = position[at / heads] * width;
      rotate_row(width, from, cos + place, sin + place, to);
      std::copy(from + width, from + head_dim, to + width);
    }
  });
  return rotated;
}

}  // namespace

at::Tensor rotate(const at::Tensor& x, const RotaryTable& table, const at::Tensor& positions) {
  if (x.is_cpu() && x.scalar_type() == at::kFloat && !x.requires_grad()) return rotate_on_cpu(x, table, positions);
  const int64_t width = table.cos.size(1), half = width / 2, rest = x.size(-1) - width;
  const at::Tensor cos = table.cos.index_select(0, positions).unsqueeze(1);
  const at::Tensor sin = table.sin.index_select(0, positions).unsqueeze(1);
  const at::Tensor swapped = at::cat({x.narrow(-1, half, half), x.narrow(-1, 0, half)}, -1);
  const at::Tensor rotated = x.narrow(-1, 0, width).mul(cos).addcmul_(swapped, sin);
  return rest == 0 ? rotated : at::cat({rotated, x.narrow(-1, width, rest)}, -1);
}

}  // namespace fi
