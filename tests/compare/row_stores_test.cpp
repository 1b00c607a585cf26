#include "fi/compare/row_stores.h"

#include <gtest/gtest.h>

#include "fi/activations/activation_writer.h"
#include "fi/core/error.h"
#include "tests/support/temporary_folder.h"

namespace fi {
namespace {

namespace fs = std::filesystem;

void write_store(const fs::path& folder, int64_t layer) {
  ActivationWriter writer({.folder = folder, .hook_point = fmt::format("resid_post.{}", layer), .d_model = 2});
  const std::vector<RowPlace> places(3);
  writer.append(at::ones({3, 2, 2}), places);
  writer.finish({"any"}, {});
}

TEST(RowStores, AreFoundFromTheRunDownToTheStoreItself) {
  const TemporaryFolder run;
  const fs::path activations = run.path() / "activations";
  EXPECT_TRUE(find_row_stores(run.path()).empty());
  write_store(row_store_folder(activations, 20), 20);
  write_store(row_store_folder(activations, 3), 3);
  for (const fs::path& where : {run.path(), activations, activations / "rows"}) {
    const auto stores = find_row_stores(where);
    ASSERT_EQ(stores.size(), 2U) << where;
    EXPECT_EQ(stores[0].layer, 3);
    EXPECT_EQ(stores[1].layer, 20);
  }
  const auto one = find_row_stores(row_store_folder(activations, 20));
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(one[0].layer, 20);
}

TEST(RowStores, LayersAreNumbersBetweenCommas) {
  EXPECT_TRUE(layers_from_text("").empty());
  EXPECT_EQ(layers_from_text("20,3,20"), (std::vector<int64_t>{3, 20}));
  for (const char* junk : {"x", "3,,4", "-1", "3 4", "3,x", "999999999999999999999", ",", "1.5"})
    EXPECT_THROW(layers_from_text(junk), Error) << junk;
}

}  // namespace
}  // namespace fi
