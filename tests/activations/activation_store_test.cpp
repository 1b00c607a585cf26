#include "fi/activations/activation_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <numeric>

#include "fi/activations/activation_writer.h"
#include "fi/activations/shuffled_batches.h"
#include "fi/core/error.h"
#include "fi/core/random.h"
#include "fi/io/atomic_file.h"

namespace fi {
namespace {

namespace fs = std::filesystem;

at::Tensor random_rows(int64_t count, uint64_t seed) {
  Random random(seed);
  const at::Tensor rows = at::empty({count, 2, 4}, at::kFloat);
  for (int64_t i = 0; i < rows.numel(); ++i) rows.data_ptr<float>()[i] = static_cast<float>(3.0 + random.normal());
  return rows.to(at::kHalf).to(at::kFloat);  // what fp16 holds exactly
}

std::vector<RowPlace> places_of(int64_t count, int64_t rows_per_text) {
  std::vector<RowPlace> places;
  for (int64_t i = 0; i < count; ++i) {
    places.push_back(
        {static_cast<int32_t>(i / rows_per_text), static_cast<int32_t>(i % rows_per_text), static_cast<int32_t>(i * 7)});
  }
  return places;
}

class Store : public testing::Test {
 protected:
  void TearDown() override { fs::remove_all(folder_); }

  ActivationWriter::Options options() const {
    return {.folder = folder_,
            .base = "a",
            .target = "b",
            .hook_point = "resid_post.3",
            .d_model = 4,
            .rows_per_shard = 16,
            .rows_for_median = 10};
  }

  // Writes in uneven pieces.
  StoreInfo write(const at::Tensor& rows, const std::vector<RowPlace>& places) {
    ActivationWriter writer(options());
    for (int64_t first = 0; first < rows.size(0); first += 7) {
      const int64_t count = std::min<int64_t>(7, rows.size(0) - first);
      writer.append(rows.narrow(0, first, count),
                    std::span(places).subspan(static_cast<size_t>(first), static_cast<size_t>(count)));
    }
    return writer.finish({"x", "y"}, {.first = 3, .special = 2});
  }

  const fs::path folder_ = fs::temp_directory_path() / ("fi_store_" + std::to_string(::getpid()));
};

TEST_F(Store, GivesBackWhatWasWritten) {
  const at::Tensor rows = random_rows(50, 1);
  const auto places = places_of(50, 5);
  write(rows, places);
  const ActivationStore store = ActivationStore::open(folder_);
  EXPECT_TRUE(read_rows(store, 0, 50).equal(rows));
  const std::vector<int64_t> some = {49, 0, 16, 15, 16};
  EXPECT_TRUE(store.gather(some).equal(rows.index_select(0, at::tensor(some, at::kLong))));
  for (const int64_t row : some) {
    EXPECT_EQ(store.place(row).text, places[static_cast<size_t>(row)].text);
    EXPECT_EQ(store.place(row).token, places[static_cast<size_t>(row)].token);
  }
  EXPECT_EQ(store.info().hook_point, "resid_post.3");
  EXPECT_EQ(store.info().text_categories, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(store.info().num_masked_first, 3);
}

TEST_F(Store, StatisticsAreThoseOfTheRows) {
  const at::Tensor rows = random_rows(50, 2);
  write(rows, places_of(50, 5));
  const ActivationStore store = ActivationStore::open(folder_);
  EXPECT_TRUE(at::allclose(store.mean(), rows.mean(at::IntArrayRef{0}), 1e-5, 1e-5));
  const at::Tensor scaled = (rows - store.mean()) * store.scale().view({2, 1});
  EXPECT_TRUE(at::allclose(scaled.square().mean(at::IntArrayRef{0, 2}), at::ones({2}), 1e-4, 1e-4));
  EXPECT_TRUE(statistics_of(store).mean().equal(store.mean()));
}

TEST_F(Store, OutliersOfEitherModelAreLeftOutAndCounted) {
  at::Tensor rows = random_rows(50, 3);
  rows[4][0].mul_(50.0);   // before the median is known
  rows[30][1].mul_(50.0);  // after
  const StoreInfo info = write(rows, places_of(50, 5));
  EXPECT_EQ(info.num_masked_outliers, 2);
  EXPECT_EQ(info.num_rows, 48);
  const ActivationStore store = ActivationStore::open(folder_);
  EXPECT_TRUE(store.gather(std::vector<int64_t>{3, 4})[1].equal(rows[5]));
  EXPECT_EQ(store.place(47).token, 49 * 7);
}

TEST_F(Store, NumbersBeyondHalfPrecisionAreLeftOutAndCounted) {
  const at::Tensor rows = at::full({20, 2, 4}, 60000.0F);
  rows[3][1][2] = 70000.0F;
  EXPECT_EQ(write(rows, places_of(20, 5)).num_masked_overflow, 1);
}

TEST_F(Store, RefusesWhatIsNotFinite) {
  const at::Tensor rows = random_rows(3, 4);
  rows[1][0][0] = std::numeric_limits<float>::infinity();
  ActivationWriter writer(options());
  EXPECT_THROW(writer.append(rows, places_of(3, 5)), Error);
}

TEST_F(Store, HeldOutRowsBeginWithAText) {
  write(random_rows(50, 5), places_of(50, 7));
  const ActivationStore store = ActivationStore::open(folder_);
  EXPECT_EQ(store.held_out_start(0.1), 42);  // row 45 lies in the text of rows 42 to 48
  EXPECT_EQ(store.held_out_start(0.0), 50);
  EXPECT_EQ(store.held_out_start(1.0), 0);
}

TEST_F(Store, AnUnfinishedOrDamagedStoreIsRefused) {
  const auto code = [&] {
    try {
      ActivationStore::open(folder_);
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::kInternal;
  };
  EXPECT_EQ(code(), ErrorCode::kNotFound);
  write(random_rows(50, 6), places_of(50, 5));
  const std::string info = read_file(folder_ / "store.json", "test");
  std::string bent = info;
  bent.replace(bent.find("\"num_rows\": 50"), 14, "\"num_rows\": 49");
  write_file_atomically(folder_ / "store.json", bent);
  EXPECT_EQ(code(), ErrorCode::kInvalid);
  bent.replace(bent.find("\"rows_per_shard\": 16"), 20, "\"rows_per_shard\": 0 ");
  write_file_atomically(folder_ / "store.json", bent);
  EXPECT_EQ(code(), ErrorCode::kInvalid);
  write_file_atomically(folder_ / "store.json", info);
  fs::remove(shard_path(folder_, 2));
  EXPECT_EQ(code(), ErrorCode::kNotFound);
  { const ActivationWriter again(options()); }
  EXPECT_FALSE(fs::exists(folder_ / "store.json"));
}

TEST(ShuffledBatches, EveryEpochVisitsEveryRowOnceInANewOrder) {
  const MemoryRows rows(random_rows(20, 7));
  const ShuffledBatches batches(rows, 6, 9);
  std::vector<int64_t> all;
  for (int64_t step = 0; step < 10; ++step) {
    const auto indices = batches.indices(step);
    EXPECT_EQ(indices.size(), 6U);
    all.insert(all.end(), indices.begin(), indices.end());
  }
  std::vector<int64_t> sorted(20);
  std::iota(sorted.begin(), sorted.end(), 0);
  std::vector<std::vector<int64_t>> epochs;
  for (int epoch = 0; epoch < 3; ++epoch) {
    epochs.emplace_back(all.begin() + epoch * 20, all.begin() + (epoch + 1) * 20);
    std::vector<int64_t> visited = epochs.back();
    std::sort(visited.begin(), visited.end());
    EXPECT_EQ(visited, sorted);
  }
  EXPECT_NE(epochs[0], epochs[1]);
  EXPECT_EQ(batches.indices(3), ShuffledBatches(rows, 6, 9).indices(3));
  EXPECT_NE(batches.indices(3), ShuffledBatches(rows, 6, 10).indices(3));
  EXPECT_TRUE(batches.batch(2).equal(rows.gather(batches.indices(2))));
}

TEST(RowRange, IsAWindow) {
  const MemoryRows rows(random_rows(20, 8));
  const RowRange range(rows, 5, 10);
  EXPECT_TRUE(read_rows(range, 2, 3).equal(read_rows(rows, 7, 3)));
  EXPECT_THROW(RowRange(rows, 15, 6), Error);
}

}  // namespace
}  // namespace fi
