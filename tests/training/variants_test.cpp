// Shared latents and JumpReLU.
#include <gtest/gtest.h>

#include <cmath>

#include "fi/activations/row_statistics.h"
#include "fi/core/error.h"
#include "fi/training/autograd_step.h"
#include "fi/training/sparse_step.h"
#include "fi/training/train_crosscoder.h"
#include "sample_training.h"

namespace fi {
namespace {

double gap_of(const at::Tensor& a, const at::Tensor& b) { return ((a - b).norm() / b.norm().clamp_min(1e-12)).item<double>(); }

at::Tensor rows_of_step(const TrainingConfig& config, int64_t step) {
  return sparse_rows(config.batch_size, static_cast<uint64_t>(step)).flatten(1);
}

TrainingState first_state(const TrainingConfig& config) {
  return initial_state(config, identity_scaling(2, 20), RowView::kModels);
}

TrainingConfig shared_config() {
  TrainingConfig config = small_config();
  config.shared_share = 0.3;
  return config;
}

// [num_shared, models, d_model]
at::Tensor shared_vectors(const TrainingConfig& config, const at::Tensor& decoder) {
  return decoder.narrow(0, 0, num_shared_latents(config)).view({-1, 2, 20});
}

TEST(SharedLatents, GradientsOfBothStepsAreTheSumOverModels) {
  const TrainingConfig config = shared_config();
  TrainingConfig apart = config;
  apart.shared_share = 0.0;
  ASSERT_EQ(num_shared_latents(config), 45);
  TrainingState state = first_state(config);
  for (int64_t step = 0; step < 20; ++step) {
    const at::Tensor x = rows_of_step(config, step);
    const Gradients sparse = sparse_gradients(config, x, state), plain = autograd_gradients(config, x, state);
    EXPECT_LT(gap_of(sparse.decoder, plain.decoder), 1e-5) << step;
    EXPECT_LT(gap_of(sparse.encoder, plain.encoder), 1e-5) << step;
    const at::Tensor free = autograd_gradients(apart, x, state).decoder;
    const at::Tensor sum = shared_vectors(config, free).sum(1, true);
    EXPECT_LT(gap_of(shared_vectors(config, sparse.decoder), sum.expand({-1, 2, -1})), 1e-5) << step;
    EXPECT_TRUE(plain.decoder.slice(0, 45).equal(free.slice(0, 45))) << step;
    sparse_step(config, x, state);
  }
}

TEST(SharedLatents, AHundredStepsStayWithAutogradAndTied) {
  const TrainingConfig config = shared_config();
  TrainingState sparse = first_state(config), plain = first_state(config);
  for (int64_t step = 0; step < 100; ++step) {
    const at::Tensor x = rows_of_step(config, step);
    const StepResult a = sparse_step(config, x, sparse), b = autograd_step(config, x, plain);
    ASSERT_NEAR(a.loss, b.loss, 1e-4 * b.loss) << step;
  }
  for (const TrainingState* state : {&sparse, &plain}) {
    const at::Tensor shared = shared_vectors(config, state->decoder.value);
    EXPECT_TRUE(shared.select(1, 0).equal(shared.select(1, 1)));
    const at::Tensor others = state->decoder.value.slice(0, 45).view({-1, 2, 20});
    EXPECT_GT(gap_of(others.select(1, 0), others.select(1, 1)), 0.1);
  }
}

TrainingConfig jump_config() {
  TrainingConfig config = small_config();
  config.l0_weight = 0.3;
  config.jump_threshold = 0.5;
  config.jump_bandwidth = 0.4;
  return config;
}

// The two estimates, written out entry by entry.
TEST(JumpRelu, ThresholdsMoveByTheStraightThroughEstimates) {
  const TrainingConfig config = jump_config();
  const TrainingState state = first_state(config);
  const at::Tensor x = rows_of_step(config, 0);
  const at::Tensor codes = at::addmm(state.encoder_bias.value, x, state.encoder.value.t()).relu();
  const at::Tensor norms = decoder_norms(state);
  const at::Tensor kept = codes * (codes * norms).gt(0.5);
  const at::Tensor errors = x - kept.matmul(state.decoder.value);
  const at::Tensor by_code = errors.matmul(state.decoder.value.t()) * -2.0;  // d |error|^2 / d code
  std::vector<double> expected(static_cast<size_t>(config.num_latents), 0.0);
  for (int64_t row = 0; row < x.size(0); ++row) {
    for (int64_t j = 0; j < config.num_latents; ++j) {
      const double norm = norms[j].item<double>();
      if (std::abs(codes[row][j].item<double>() * norm - 0.5) >= 0.2) continue;
      const double by_threshold = -(0.5 / norm / 0.4) * by_code[row][j].item<double>() - l0_weight_at(config, 0) / 0.4;
      expected[static_cast<size_t>(j)] += 0.5 * by_threshold / static_cast<double>(x.size(0));  // 0.5: d threshold / d log
    }
  }
  const Gradients gradients = autograd_gradients(config, x, state);
  EXPECT_LT(gap_of(gradients.log_jump, at::tensor(expected, at::kFloat)), 1e-4);
  // The kernel of the estimate does not reach encoder and decoder: theirs are those of the codes that were kept.
  const at::Tensor decoder = kept.t().matmul(errors) * (-2.0 / static_cast<double>(x.size(0)));
  EXPECT_LT(gap_of(gradients.decoder, decoder), 1e-4);
}

TEST(JumpRelu, TheL0PenaltyRisesWithTheFirstSteps) {
  const TrainingConfig config = jump_config();
  EXPECT_DOUBLE_EQ(l0_weight_at(config, 0), 0.3 / 20);
  EXPECT_DOUBLE_EQ(l0_weight_at(config, 19), 0.3);
  EXPECT_DOUBLE_EQ(l0_weight_at(config, 99), 0.3);
}

TEST(JumpRelu, AHeavierPenaltyLeavesFewerCodes) {
  std::vector<double> l0;
  for (const double weight : {0.05, 1.0}) {
    TrainingConfig config = jump_config();
    config.l0_weight = weight;
    const MemoryRows rows(sparse_rows(2000, 1));
    const RowStatistics statistics = statistics_of(rows);
    const RowScaling scaling{.mean = statistics.mean(), .scale = statistics.scale()};
    config.num_steps = 300;
    const Crosscoder c = train_crosscoder(config, rows, scaling, {}, silent_progress());
    check_crosscoder(c, "test");
    EXPECT_EQ(c.sparsity, Sparsity::kJumpRelu);
    EXPECT_GT(c.jump_threshold.std().item<double>(), 0.0);
    const at::Tensor held_out = sparse_rows(500, 2);
    l0.push_back(encode(c, held_out).ne(0).sum().item<double>() / 500.0);
    const at::Tensor x = normalise(scaling, held_out), left = x - normalise(scaling, decode(c, encode(c, held_out)));
    EXPECT_GT(1.0 - (left.square().sum() / x.square().sum()).item<double>(), 0.6) << weight;
  }
  EXPECT_LT(l0[1], 0.7 * l0[0]);
}

TEST(Variants, RefuseTwoPenaltiesAndSharesBeyondOne) {
  TrainingConfig config = jump_config();
  config.l1_weight = 1.0;
  EXPECT_THROW(check_training_config(config), Error);
  config = shared_config();
  config.shared_share = 1.5;
  EXPECT_THROW(check_training_config(config), Error);
}

}  // namespace
}  // namespace fi
