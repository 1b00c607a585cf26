#include "fi/intervene/changed_generation.h"

#include <gtest/gtest.h>

#include "fi/intervene/subspace.h"
#include "tests/support/failure.h"
#include "tests/tiny_models.h"

namespace fi {
namespace {

struct Pair {
  Decoder base = load_tiny();
  at::Tensor direction = at::zeros({base.config().d_model}).index_fill_(0, at::tensor({5}, at::kLong), 1.0);
  Decoder target = with_written_direction(base, 1, direction, 3.0);
  TokenIds prompt = random_texts(1, base.config().vocab_size, 4)[0].ids;
};

TokenIds plain(const Decoder& model, const TokenIds& prompt, int64_t count) {
  return generate(model, std::span(&prompt, 1), {.max_new_tokens = count}, silent_progress()).front().ids;
}

// No cache, no incremental reading: the whole text once more for every token.
TokenIds naive(const Pair& pair, int64_t layer, const RowChange& change, int64_t count) {
  TokenIds text = pair.prompt, written;
  for (int64_t i = 0; i < count; ++i) {
    const PackedBatch batch = pack(std::span(&text, 1));
    const at::Tensor other = residual_streams(pair.target, batch)[static_cast<size_t>(layer)];
    const at::Tensor own = residual_streams(pair.base, batch)[static_cast<size_t>(layer)];
    const at::Tensor resid = continue_after(pair.base, batch, layer, change(own, other));
    written.push_back(static_cast<int32_t>(pair.base.unembed(resid.narrow(0, resid.size(0) - 1, 1)).argmax(-1).item<int64_t>()));
    text.push_back(written.back());
  }
  return written;
}

TEST(ChangedGeneration, WithoutAChangeIsTheBases) {
  const Pair pair;
  const auto same = [](const at::Tensor& base, const at::Tensor&) { return base; };
  EXPECT_EQ(generate_changed(pair.base, pair.target, pair.prompt, 1, same, {.max_new_tokens = 12}).ids,
            plain(pair.base, pair.prompt, 12));
}

TEST(ChangedGeneration, WithTheTargetsWholeStreamIsTheTargets) {
  const Pair pair;
  const auto all = [](const at::Tensor&, const at::Tensor& target) { return target; };
  const TokenIds of_target = plain(pair.target, pair.prompt, 12);
  ASSERT_NE(of_target, plain(pair.base, pair.prompt, 12));
  // The blocks after the changed one are the same in both models.
  EXPECT_EQ(generate_changed(pair.base, pair.target, pair.prompt, 1, all, {.max_new_tokens = 12}).ids, of_target);
}

TEST(ChangedGeneration, EqualsReadingTheWholeTextForEveryToken) {
  const Pair pair;
  const int64_t last = pair.base.config().num_layers - 1;
  const Subspace subspace = random_subspace(pair.base.config().d_model, 3, 9, 0);
  const auto exchange = [&](const at::Tensor& base, const at::Tensor& target) { return exchange_inside(base, target, subspace); };
  const auto add = [&](const at::Tensor& base, const at::Tensor&) { return base + 2.0 * pair.direction; };
  for (const int64_t layer : {int64_t{0}, int64_t{1}, last}) {
    for (const RowChange& change : {RowChange(exchange), RowChange(add)}) {
      EXPECT_EQ(generate_changed(pair.base, pair.target, pair.prompt, layer, change, {.max_new_tokens = 8}).ids,
                naive(pair, layer, change, 8));
    }
  }
}

TEST(ChangedGeneration, StopsAtStopTokensAndRefusesOtherLayers) {
  const Pair pair;
  const auto same = [](const at::Tensor& base, const at::Tensor&) { return base; };
  const TokenIds answer = plain(pair.base, pair.prompt, 6);
  const Generation stopped = generate_changed(pair.base, pair.target, pair.prompt, 1, same, {.stop_ids = {answer.front()}});
  EXPECT_TRUE(stopped.stopped);
  EXPECT_TRUE(stopped.ids.empty());
  const int64_t beyond = pair.base.config().num_layers;
  expect_failure([&] { generate_changed(pair.base, pair.target, pair.prompt, beyond, same, {}); }, ErrorCode::kUsage,
                 {"[steer] layer"});
}

}  // namespace
}  // namespace fi
