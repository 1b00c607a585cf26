#include "fi/compare/row_stores.h"

#include <gtest/gtest.h>

#include "fi/activations/activation_writer.h"
#include "fi/core/error.h"
#include "tests/support/temporary_folder.h"

namespace fi {
namespace {

namespace fs = std::filesystem;

void write_store(const fs::path& folder, const LayerGroup& layers) {
  ActivationWriter writer({.folder = folder, .hook_point = hook_point_after(layers), .d_model = 2});
  const std::vector<RowPlace> places(3);
  writer.append(at::ones({3, 2, 2}), places);
  writer.finish({"any"}, {});
}

TEST(RowStores, AreFoundFromTheRunDownToTheStoreItself) {
  const TemporaryFolder run;
  const fs::path activations = run.path() / "activations";
  EXPECT_TRUE(find_row_stores(run.path()).empty());
  write_store(row_store_folder(activations, {20}), {20});
  write_store(row_store_folder(activations, {3}), {3});
  for (const fs::path& where : {run.path(), activations, activations / "rows"}) {
    const auto stores = find_row_stores(where);
    ASSERT_EQ(stores.size(), 2U) << where;
    EXPECT_EQ(stores[0].layers, (LayerGroup{3}));
    EXPECT_EQ(stores[1].layers, (LayerGroup{20}));
  }
  const auto one = find_row_stores(row_store_folder(activations, {20}));
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(one[0].layers, (LayerGroup{20}));
}

TEST(RowStores, LayersThatWereCapturedTogetherAreOneStore) {
  const TemporaryFolder run;
  write_store(row_store_folder(run.path(), {3, 20}), {3, 20});
  write_store(row_store_folder(run.path(), {20}), {20});
  const std::string where = run.path().string();
  EXPECT_EQ(find_row_stores(where).size(), 2U);
  const auto both = stores_of_layers("train", where, "20+3");
  ASSERT_EQ(both.size(), 1U);
  EXPECT_EQ(both[0].layers, (LayerGroup{3, 20}));
  EXPECT_EQ(both[0].last_layer(), 20);
  EXPECT_EQ(both[0].folder.filename(), "layer_03+20");
  EXPECT_EQ(one_store("train", where, "20").layers, (LayerGroup{20}));
  EXPECT_THROW(stores_of_layers("train", where, "3"), Error);
}

TEST(RowStores, LayersAreNumbersBetweenCommas) {
  EXPECT_TRUE(layers_from_text("").empty());
  EXPECT_EQ(layers_from_text("20,3,20"), (std::vector<LayerGroup>{{3}, {20}}));
  EXPECT_EQ(layers_from_text("20+3,20,3+20"), (std::vector<LayerGroup>{{3, 20}, {20}}));
  for (const char* junk : {"+", "3+", "+3", "3++4", "3+x", "x", "3,,4", "-1", "3 4", "3,x", "999999999999999999999", ",", "1.5"})
    EXPECT_THROW(layers_from_text(junk), Error) << junk;
}

}  // namespace
}  // namespace fi
