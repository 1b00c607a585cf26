// The sparse step against the plain autograd one: two ways to the same numbers.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "fi/activations/row_source.h"
#include "fi/core/error.h"
#include "fi/training/autograd_step.h"
#include "fi/training/aux_loss.h"
#include "fi/training/sparse_step.h"
#include "sample_training.h"

namespace fi {
namespace {

double relative_gap(const at::Tensor& a, const at::Tensor& b) {
  return ((a - b).norm() / b.norm().clamp_min(1e-12)).item<double>();
}

at::Tensor batch(const TrainingConfig& config, int64_t step) {
  return sparse_rows(config.batch_size, static_cast<uint64_t>(step)).flatten(1);
}

TrainingConfig decaying_config() {
  TrainingConfig config = small_config();
  config.weight_decay = 2.0;
  return config;
}

TrainingState fresh(const TrainingConfig& config) { return initial_state(config, identity_scaling(2, 20), RowView::kModels); }

void expect_same_gradients(const Gradients& a, const Gradients& b) {
  EXPECT_LT(relative_gap(a.encoder, b.encoder), 1e-5);
  EXPECT_LT(relative_gap(a.encoder_bias, b.encoder_bias), 1e-5);
  EXPECT_LT(relative_gap(a.decoder, b.decoder), 1e-5);
  EXPECT_LT(relative_gap(a.decoder_bias, b.decoder_bias), 1e-5);
}

TEST(SparseStep, GradientsAreThoseOfAutograd) {
  const TrainingConfig config = small_config();
  TrainingState state = fresh(config);
  for (int64_t step = 0; step < 3; ++step) {
    const at::Tensor x = batch(config, step);
    expect_same_gradients(sparse_gradients(config, x, state), autograd_gradients(config, x, state));
    sparse_step(config, x, state);
  }
}

TEST(SparseStep, GradientsOfDeadLatentsAreThoseOfAutograd) {
  const TrainingConfig config = small_config();
  TrainingState state = fresh(config);
  // Encoder biases far below keep these latents from firing, but not all of their codes at zero.
  state.encoder_bias.value.narrow(0, 100, 50).fill_(-1.0);
  state.rows_since_fired.narrow(0, 100, 50).fill_(1000);
  const at::Tensor x = batch(config, 0);
  const Gradients sparse = sparse_gradients(config, x, state);
  expect_same_gradients(sparse, autograd_gradients(config, x, state));
  TrainingConfig without = config;
  without.aux_weight = 0.0;
  EXPECT_GT(relative_gap(sparse.encoder, sparse_gradients(without, x, state).encoder), 1e-4);
}

TrainingState copy_of(const TrainingState& state) {
  TrainingState copy = state;
  for (Weight* weight : {&copy.encoder, &copy.encoder_bias, &copy.decoder, &copy.decoder_bias}) {
    *weight = {weight->value.clone(), weight->first_moment.clone(), weight->second_moment.clone()};
  }
  copy.rows_since_fired = state.rows_since_fired.clone();
  return copy;
}

// From each state on the way, so that a code that rounding puts on the other side of the cut does not send the two apart.
TEST(SparseStep, EachOfAHundredStepsIsThatOfAutograd) {
  const TrainingConfig config = decaying_config();
  TrainingState state = fresh(config);
  int64_t most_dead = 0;
  for (int64_t step = 0; step < 100; ++step) {
    const at::Tensor x = batch(config, step);
    TrainingState plain = copy_of(state);
    const StepResult a = sparse_step(config, x, state), b = autograd_step(config, x, plain);
    EXPECT_NEAR(a.loss, b.loss, 1e-5 * b.loss) << step;
    EXPECT_NEAR(a.aux_loss, b.aux_loss, 1e-5) << step;
    EXPECT_NEAR(a.explained, b.explained, 1e-5) << step;
    EXPECT_EQ(a.num_dead, b.num_dead) << step;
    EXPECT_EQ(a.l0, b.l0) << step;
    EXPECT_LT(relative_gap(state.encoder.value, plain.encoder.value), 1e-5) << step;
    EXPECT_LT(relative_gap(state.decoder.value, plain.decoder.value), 1e-5) << step;
    EXPECT_LT(relative_gap(state.decoder.second_moment, plain.decoder.second_moment), 1e-5) << step;
    EXPECT_TRUE(state.rows_since_fired.equal(plain.rows_since_fired)) << step;
    EXPECT_NEAR(state.threshold, plain.threshold, 1e-5 * std::abs(plain.threshold)) << step;
    most_dead = std::max(most_dead, a.num_dead);
  }
  EXPECT_GT(most_dead, config.max_aux_latents);  // so that AuxK took part, by turns
}

TEST(SparseStep, AHundredStepsStayWithAutograd) {
  const TrainingConfig config = decaying_config();
  TrainingState sparse = fresh(config), plain = fresh(config);
  double first = 0.0, last = 0.0;
  for (int64_t step = 0; step < 100; ++step) {
    const at::Tensor x = batch(config, step);
    const StepResult a = sparse_step(config, x, sparse), b = autograd_step(config, x, plain);
    EXPECT_NEAR(a.loss, b.loss, 1e-4 * b.loss) << step;
    EXPECT_NEAR(a.explained, b.explained, 1e-4) << step;
    if (step == 0) first = a.explained;
    last = a.explained;
  }
  EXPECT_GT(last, first + 0.2);
}

// A latent that does not fire keeps its vectors, whatever the decay; one that fires loses length beside what Adam does.
TEST(SparseStep, VectorsOfLatentsThatFireShrink) {
  TrainingConfig config = small_config(), without = config;
  config.weight_decay = 10.0;
  without.weight_decay = 0.0;
  const at::Tensor x = batch(config, 0);
  for (const auto step : {sparse_step, autograd_step}) {
    TrainingState decayed = fresh(config), plain = fresh(without);
    for (TrainingState* state : {&decayed, &plain}) state->encoder_bias.value.narrow(0, 100, 50).fill_(-100.0);
    const at::Tensor before = decayed.decoder.value.clone();
    step(config, x, decayed);
    step(without, x, plain);
    const at::Tensor fired = plain.rows_since_fired.eq(0);
    ASSERT_GT(fired.sum().item<int64_t>(), 20);
    ASSERT_EQ(fired.narrow(0, 100, 50).sum().item<int64_t>(), 0);
    const at::Tensor lost = before * fired.unsqueeze(1) * (lr_at(config, 0) * config.weight_decay);
    EXPECT_LT(((plain.decoder.value - decayed.decoder.value) - lost).abs().max().item<double>(), 1e-6);
    EXPECT_TRUE(plain.encoder_bias.value.equal(decayed.encoder_bias.value));
  }
}

// autograd itself is held against finite differences of the loss, at a point where no code is near the cut.
TEST(AutogradStep, GradientIsTheSlopeOfTheLoss) {
  TrainingConfig config = small_config();
  config.k = config.k_initial = 2;
  const TrainingState state = fresh(config);
  const at::Tensor x = batch(config, 3);
  const Gradients gradients = autograd_gradients(config, x, state);
  const auto loss_at = [&](double shift, const at::Tensor& direction) {
    TrainingState moved = fresh(config);
    moved.decoder_bias.value.add_(direction, shift);
    return autograd_step(config, x, moved).loss;
  };
  const at::Tensor direction = gradients.decoder_bias / gradients.decoder_bias.norm();
  const double slope = (loss_at(0.01, direction) - loss_at(-0.01, direction)) / 0.02;
  EXPECT_NEAR(slope, gradients.decoder_bias.norm().item<double>(), 2e-3 * slope);
}

TEST(SparseStep, GivesTheSameBitsEveryTime) {
  const TrainingConfig config = small_config();
  TrainingState a = fresh(config), b = fresh(config);
  for (int64_t step = 0; step < 30; ++step) {
    sparse_step(config, batch(config, step), a);
    b.smallest_kept = static_cast<float>(step % 4);  // the hint must not matter
    sparse_step(config, batch(config, step), b);
  }
  EXPECT_TRUE(a.encoder.value.equal(b.encoder.value));
  EXPECT_TRUE(a.decoder.second_moment.equal(b.decoder.second_moment));
  EXPECT_TRUE(a.encoder_bias.value.equal(b.encoder_bias.value));
  EXPECT_TRUE(a.decoder_bias.value.equal(b.decoder_bias.value));
  EXPECT_EQ(a.threshold, b.threshold);
}

TEST(SparseStep, IdenticalModelsKeepIdenticalDecoders) {
  TrainingConfig config = small_config();
  config.same_init = true;
  TrainingState state = fresh(config);
  for (int64_t step = 0; step < 20; ++step) {
    at::Tensor rows = sparse_rows(config.batch_size, static_cast<uint64_t>(step));
    rows.select(1, 1).copy_(rows.select(1, 0));
    sparse_step(config, rows.flatten(1), state);
  }
  const Crosscoder c = to_crosscoder(state, config);
  EXPECT_TRUE(c.decoder[0].equal(c.decoder[1]));
  EXPECT_TRUE(c.encoder[0].equal(c.encoder[1]));
}

TEST(AutogradStep, L1TrainingLowersItsLoss) {
  TrainingConfig config = small_config();
  config.l1_weight = 0.5;
  TrainingState state = fresh(config);
  const double first = autograd_step(config, batch(config, 0), state).loss;
  StepResult last;
  for (int64_t step = 1; step < 60; ++step) last = autograd_step(config, batch(config, step), state);
  EXPECT_LT(last.loss, 0.6 * first);
  EXPECT_EQ(to_crosscoder(state, config).sparsity, Sparsity::kRelu);
}

TEST(Steps, StopOnNumbersThatAreNotFinite) {
  const TrainingConfig config = small_config();
  const at::Tensor x = batch(config, 0);
  x[3][4] = std::numeric_limits<float>::quiet_NaN();
  TrainingState state = fresh(config);
  EXPECT_THROW(sparse_step(config, x, state), Error);
  EXPECT_THROW(autograd_step(config, x, state), Error);
}

TEST(AuxLatents, TakeTurnsWhereTooManyAreDead) {
  TrainingConfig config = small_config();
  config.max_aux_latents = 2;
  const at::Tensor since = at::tensor({0, 300, 300, 10, 192}, at::kLong);
  EXPECT_TRUE(aux_latents(config, since, 0).equal(at::tensor({1, 2}, at::kLong)));
  EXPECT_TRUE(aux_latents(config, since, 1).equal(at::tensor({4, 1}, at::kLong)));
  config.max_aux_latents = 3;
  EXPECT_TRUE(aux_latents(config, since, 1).equal(at::tensor({1, 2, 4}, at::kLong)));
}

TEST(TrainingConfig, SchedulesAndRanges) {
  const TrainingConfig config = small_config();
  EXPECT_EQ(k_at(config, 0), 12);
  EXPECT_EQ(k_at(config, 10), 9);
  EXPECT_EQ(k_at(config, 20), 6);
  EXPECT_DOUBLE_EQ(lr_at(config, 0), 3e-3 / 5);
  EXPECT_DOUBLE_EQ(lr_at(config, 50), 3e-3);
  EXPECT_DOUBLE_EQ(lr_at(config, 99), 3e-3 / 20);
  EXPECT_NO_THROW(check_training_config(config));
  TrainingConfig bent = config;
  bent.k = 0;
  EXPECT_THROW(check_training_config(bent), Error);
  bent = config;
  bent.lr = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(check_training_config(bent), Error);
}

TEST(ToCrosscoder, EncodesLikeTheState) {
  const TrainingConfig config = small_config();
  const RowScaling scaling{.mean = at::ones({2, 20}), .scale = at::tensor({0.5F, 2.0F})};
  TrainingState state = initial_state(config, scaling, RowView::kModels);
  const at::Tensor rows = sparse_rows(64, 1);
  const at::Tensor x = normalise(scaling, rows).flatten(1);
  for (int i = 0; i < 3; ++i) sparse_step(config, x, state);
  const Crosscoder c = to_crosscoder(state, config);
  check_crosscoder(c, "test");
  const at::Tensor codes = at::addmm(state.encoder_bias.value, x, state.encoder.value.t()).relu();
  EXPECT_TRUE(at::allclose(encode(c, rows), codes, 1e-5, 1e-5));  // the threshold is not set yet
  EXPECT_TRUE(at::allclose(normalise(scaling, decode(c, codes)).flatten(1),
                           at::addmm(state.decoder_bias.value, codes, state.decoder.value), 1e-4, 1e-4));
  EXPECT_TRUE(at::allclose(code_norms(c), decoder_norms(state), 1e-5, 1e-5));
}

TEST(OtherWidths, PaddingStaysZeroAndBothEnginesAgree) {
  TrainingConfig config = small_config();
  RowScaling scaling = identity_scaling(2, 20);
  scaling.widths = {12, 20};
  TrainingState sparse = initial_state(config, scaling, RowView::kModels);
  TrainingState dense = initial_state(config, scaling, RowView::kModels);
  const at::Tensor rows = sparse_rows(64 * 60, 3);
  const at::Tensor padded = pair_rows(rows.select(1, 0).narrow(1, 0, 12), rows.select(1, 1));
  StepResult first, last;
  for (int64_t step = 0; step < 60; ++step) {
    const at::Tensor x = padded.narrow(0, step * 64, 64).flatten(1).contiguous();
    last = sparse_step(config, x, sparse);
    if (step == 0) first = last;
    autograd_step(config, x, dense);
  }
  EXPECT_GT(last.explained, first.explained + 0.2);
  EXPECT_TRUE(at::allclose(sparse.decoder.value, dense.decoder.value, 1e-3, 1e-4));
  const Crosscoder c = to_crosscoder(sparse, config);
  EXPECT_EQ(c.scaling.widths, scaling.widths);
  EXPECT_NO_THROW(check_crosscoder(c, "trained"));  // zero beyond each width, to the bit
  EXPECT_GT(c.decoder[0].abs().sum().item<double>(), 0.0);
}

TEST(OtherWidths, NothingIsSharedOrSubtracted) {
  TrainingConfig config = small_config();
  RowScaling scaling = identity_scaling(2, 20);
  scaling.widths = {12, 20};
  EXPECT_THROW(initial_state(config, scaling, RowView::kDifference), Error);
  config.shared_share = 0.1;
  EXPECT_THROW(initial_state(config, scaling, RowView::kModels), Error);
}

}  // namespace
}  // namespace fi
