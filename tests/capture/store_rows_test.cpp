#include "fi/capture/store_rows.h"

#include <gtest/gtest.h>

#include "fi/activations/activation_store.h"
#include "fi/capture/row_reader.h"
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

// The first token of the base is two of the target; its second ends where none of the target does.
TracedText read_in_own_ids(const TokenIds& base, const TokenIds& target, std::vector<int32_t> partners) {
  TracedText text{.ids = base, .category = "x"};
  text.target = OwnReading{.ids = target, .answer_start = 2, .partners = std::move(partners)};
  return text;
}

TEST_F(StoreRows, AModelOfAnotherTokenizerIsReadWhereItsOwnTokensEnd) {
  const Decoder other = load_tiny("olmo2");
  const TracedText text = read_in_own_ids({1, 5, 9, 2, 7}, {3, 4, 6, 8, 1, 5}, {1, -1, 3, 4, 5});
  const StoreRowsOptions options{
      .folder = folder_.path(), .tokenizer = "a", .target_tokenizer = "b", .layers = {1}, .outlier_factor = 1e9};
  const StoreInfo info = store_rows(base_, other, {text}, [](int32_t id) { return id == 2; }, options, silent_progress());
  EXPECT_EQ(info.num_masked_first, 1);
  EXPECT_EQ(info.num_masked_unaligned, 1);
  EXPECT_EQ(info.num_masked_special, 1);
  ASSERT_EQ(info.num_rows, 2);  // 9 and 7
  EXPECT_FALSE(has_one_space(info));
  EXPECT_FALSE(has_one_space({.target_tokenizer = "b"}));
  EXPECT_TRUE(has_one_space({.relation = "sibling", .target_tokenizer = "b"}));
  EXPECT_TRUE(has_one_space({.relation = "fine-tune"}));
  EXPECT_FALSE(has_one_space({.relation = "unrelated"}));  // of one shape, but a space each
  const ActivationStore store = ActivationStore::open(folder_.path());
  EXPECT_EQ(store.info().target_tokenizer, "b");
  const at::Tensor base = residual_streams(base_, pack({&text.ids, 1}))[2];  // beside block 1 of 2
  const at::Tensor own = residual_streams(other, pack({&text.target->ids, 1}), 1).back();
  const at::Tensor stored = read_rows(store, 0, 2);
  for (const auto& [row, position] : {std::pair(0, 2), std::pair(1, 4)}) {
    EXPECT_EQ(store.place(row).position, position);
    EXPECT_EQ(store.place(row).token, text.ids[static_cast<size_t>(position)]);
    EXPECT_TRUE(at::allclose(stored[row][0], base[position], 1e-3, 1e-3));
    const int64_t partner = text.target->partners[static_cast<size_t>(position)];
    EXPECT_TRUE(at::allclose(stored[row][1].narrow(0, 0, 24), own[partner], 1e-3, 1e-3));
  }
}

TEST_F(StoreRows, AReaderGivesTheRowsThatAStoreWouldHold) {
  const auto is_special = [](int32_t id) { return id == 2; };
  const StoreRowsOptions options{.folder = folder_.path(), .layers = {0, 1}, .outlier_factor = 1e9};
  store_rows(base_, target_, texts_, is_special, options, silent_progress());
  const ActivationStore store = ActivationStore::open(folder_.path());
  RowReader reader(base_, target_, {0, 1}, is_special, 0);
  const ReadRows read = reader.read(texts_, 10);
  ASSERT_EQ(std::ssize(read.places), store.num_rows());
  EXPECT_TRUE(at::allclose(read.rows, read_rows(store, 0, store.num_rows()), 1e-3, 1e-3));
  EXPECT_EQ(read.places.back().text, store.place(store.num_rows() - 1).text + 10);
  EXPECT_EQ(reader.masked().special, store.info().num_masked_special);
  EXPECT_TRUE(reader.read({{{4}, 1, "y"}}).places.empty());
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
