#include "fi/capture/store_rows.h"

#include <gtest/gtest.h>

#include "fi/activations/activation_store.h"
#include "fi/core/error.h"
#include "tests/support/temporary_folder.h"
#include "tests/tiny_models.h"

namespace fi {
namespace {

class StoreRows : public testing::Test {
 protected:
  const Decoder base_ = load_tiny();
  const Decoder target_ = with_written_direction(base_, 0, at::ones({base_.config().d_model}), 1.0);
  const TemporaryFolder folder_;
  const std::vector<TracedText> texts_ = {{{1, 5, 9, 2, 7}, 2, "x"}, {{3, 1}, 1, "y"}, {{4}, 1, "y"}, {{4, 8, 2, 6}, 2, "x"}};
};

TEST_F(StoreRows, HoldsWhatBothModelsHaveAfterTheBlock) {
  const auto is_special = [](int32_t id) { return id == 2; };
  const StoreRowsOptions options{.folder = folder_.path(), .base = "a", .target = "b", .layers = {1}, .outlier_factor = 1e9};
  const StoreInfo info = store_rows(base_, target_, texts_, is_special, options, silent_progress());
  EXPECT_EQ(info.num_masked_first, 4);
  EXPECT_EQ(info.num_masked_special, 2);
  EXPECT_EQ(info.hook_point, "resid_post.1");
  const ActivationStore store = ActivationStore::open(folder_.path());
  EXPECT_EQ(store.info().text_categories, (std::vector<std::string>{"x", "y", "y", "x"}));
  int64_t row = 0;
  for (size_t text = 0; text < texts_.size(); ++text) {
    const PackedBatch batch = pack({&texts_[text].ids, 1});
    const at::Tensor base = residual_streams(base_, batch, 1).back(), target = residual_streams(target_, batch, 1).back();
    for (int64_t position = 1; position < batch.num_tokens(); ++position) {
      if (batch.ids[static_cast<size_t>(position)] == 2) continue;
      const at::Tensor stored = read_rows(store, row, 1)[0];
      EXPECT_TRUE(at::allclose(stored[0], base[position], 1e-3, 1e-3));
      EXPECT_TRUE(at::allclose(stored[1], target[position], 1e-3, 1e-3));
      EXPECT_EQ(store.place(row).text, static_cast<int32_t>(text));
      EXPECT_EQ(store.place(row).position, static_cast<int32_t>(position));
      EXPECT_EQ(store.place(row).token, batch.ids[static_cast<size_t>(position)]);
      ++row;
    }
  }
  EXPECT_EQ(row, info.num_rows);
  EXPECT_FALSE(read_rows(store, 0, row).select(1, 0).equal(read_rows(store, 0, row).select(1, 1)));
}

TEST_F(StoreRows, WhatAllTextsBeginWithIsLeftOut) {
  const std::vector<TracedText> texts = {{{1, 5, 9, 2, 7}, 3, "x"}, {{1, 5, 9, 3}, 3, "y"}};
  const StoreRowsOptions options{.folder = folder_.path(), .outlier_factor = 1e9};
  const StoreInfo info = store_rows(base_, target_, texts, [](int32_t) { return false; }, options, silent_progress());
  EXPECT_EQ(info.num_masked_first, 2);
  EXPECT_EQ(info.num_masked_repeated, 4);
  EXPECT_EQ(info.num_rows, 3);
}

TEST_F(StoreRows, WhatAllTextsOfAKindBeginWithIsLeftOut) {
  std::vector<TracedText> texts = {{{1, 5, 9, 2, 7}, 3, "x"}, {{1, 5, 9, 3}, 3, "x"}, {{4, 4, 4}, 0, "own"}};
  texts[0].num_repeated = texts[1].num_repeated = 3;
  const StoreRowsOptions options{.folder = folder_.path(), .outlier_factor = 1e9};
  const StoreInfo info = store_rows(base_, target_, texts, [](int32_t) { return false; }, options, silent_progress());
  EXPECT_EQ(info.num_masked_repeated, 4);
  EXPECT_EQ(info.num_rows, 5);
}

TEST_F(StoreRows, LayersThatAreNotThereAndTextsWithoutRowsAreRefused) {
  const auto none = [](int32_t) { return false; };
  EXPECT_THROW(store_rows(base_, target_, texts_, none, {.folder = folder_.path(), .layers = {99}}, silent_progress()), Error);
  EXPECT_THROW(store_rows(base_, target_, {{{4}, 1, "y"}}, none, {.folder = folder_.path()}, silent_progress()), Error);
}

TEST_F(StoreRows, SeveralLayersStandSideBySide) {
  const StoreRowsOptions options{.folder = folder_.path(), .layers = {0, 2}, .outlier_factor = 1e9};
  const StoreInfo info = store_rows(base_, target_, texts_, [](int32_t) { return false; }, options, silent_progress());
  EXPECT_EQ(info.hook_point, "resid_post.0+2");
  EXPECT_EQ(info.num_models, 4);
  EXPECT_TRUE(has_one_space(info));
  const PackedBatch batch = pack({&texts_[0].ids, 1});
  const at::Tensor stored = read_rows(ActivationStore::open(folder_.path()), 0, 4);
  int64_t place = 0;
  for (const Decoder* model : {&base_, &target_}) {
    const std::vector<at::Tensor> streams = residual_streams(*model, batch);
    for (const size_t layer : {0, 2})
      EXPECT_TRUE(at::allclose(stored.select(1, place++), streams[layer].narrow(0, 1, 4), 1e-3, 1e-3)) << layer;
  }
}

TEST_F(StoreRows, LayersBesideTheSameOneOfTheBaseAreRefused) {
  const Decoder small = load_tiny("olmo2");  // 2 blocks beside 3
  const auto store = [&](const LayerGroup& layers) {
    return store_rows(
        small, base_, texts_, [](int32_t) { return false; }, {.folder = folder_.path(), .layers = layers, .outlier_factor = 1e9},
        silent_progress());
  };
  EXPECT_THROW(store({1, 2}), Error);
  const StoreInfo info = store({0, 2});
  EXPECT_EQ(info.base_hook_point, "resid_post.0+1");
  EXPECT_EQ(info.widths, (std::vector<int64_t>{24, 24, 32, 32}));
}

TEST_F(StoreRows, ModelsOfOtherShapesStandSideBySide) {
  const Decoder small = load_tiny("olmo2");  // 2 blocks of width 24 beside 3 of width 32
  const StoreRowsOptions options{.folder = folder_.path(), .layers = {2}, .outlier_factor = 1e9};
  const StoreInfo info = store_rows(small, base_, texts_, [](int32_t) { return false; }, options, silent_progress());
  EXPECT_EQ(info.hook_point, "resid_post.2");
  EXPECT_EQ(info.base_hook_point, "resid_post.1");
  const ActivationStore store = ActivationStore::open(folder_.path());
  EXPECT_EQ(store.info().widths, (std::vector<int64_t>{24, 32}));
  EXPECT_FALSE(has_one_space(store.info()));
  EXPECT_FALSE(has_one_space({.base_hook_point = "resid_post.1"}));  // of one width, but other depths
  EXPECT_TRUE(has_one_space({.hook_point = "resid_post.1"}));
  const PackedBatch batch = pack({&texts_[0].ids, 1});
  const at::Tensor stored = read_rows(store, 0, 4);
  const at::Tensor left = residual_streams(small, batch, 1).back(), right = residual_streams(base_, batch, 2).back();
  EXPECT_TRUE(at::allclose(stored.select(1, 0).narrow(1, 0, 24), left.narrow(0, 1, 4), 1e-3, 1e-3));
  EXPECT_TRUE(stored.select(1, 0).narrow(1, 24, 8).eq(0).all().item<bool>());
  EXPECT_TRUE(at::allclose(stored.select(1, 1), right.narrow(0, 1, 4), 1e-3, 1e-3));
}

}  // namespace
}  // namespace fi
