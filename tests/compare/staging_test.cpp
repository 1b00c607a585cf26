#include "fi/compare/staging.h"

#include <gtest/gtest.h>

#include "fi/compare/run_files.h"
#include "fi/core/error.h"
#include "fi/io/atomic_file.h"

namespace fi {
namespace {

namespace fs = std::filesystem;

class StagingTest : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(output);
    write_file_atomically(output / kManifestFile, "old manifest");
    write_file_atomically(output / kAnswersFile, "old answers");
  }
  void TearDown() override { fs::remove_all(output); }

  std::string text(const char* name) const { return read_file(output / name, "test"); }

  fs::path output = fs::path(::testing::TempDir()) / "fi_staging_test";
};

TEST_F(StagingTest, AnUnfinishedRunLeavesTheEarlierFilesAlone) {
  const StagingFolder staging(output);
  write_file_atomically(staging.path() / kAnswersFile, "new answers");
  EXPECT_EQ(text(kAnswersFile), "old answers");
  EXPECT_EQ(text(kManifestFile), "old manifest");
  const StagingFolder again(output);
  EXPECT_EQ(read_file(again.path() / kAnswersFile, "test"), "new answers");
}

TEST_F(StagingTest, PublishingReplacesEveryFileAndRemovesTheFolder) {
  const StagingFolder staging(output);
  write_file_atomically(staging.path() / kAnswersFile, "new answers");
  write_file_atomically(staging.path() / kManifestFile, "new manifest");
  staging.publish();
  EXPECT_EQ(text(kAnswersFile), "new answers");
  EXPECT_EQ(text(kManifestFile), "new manifest");
  EXPECT_FALSE(fs::exists(staging.path()));
}

TEST_F(StagingTest, AFolderReplacesTheEarlierOneWithAllThatWasInIt) {
  write_file_atomically(output / kRowsFolder / "layer_01" / "store.json", "old store");
  write_file_atomically(output / kRowsFolder / "layer_02" / "store.json", "old store");
  const StagingFolder staging(output);
  write_file_atomically(staging.path() / kRowsFolder / "layer_02" / "store.json", "new store");
  write_file_atomically(staging.path() / kManifestFile, "new manifest");
  staging.publish();
  EXPECT_EQ(read_file(output / kRowsFolder / "layer_02" / "store.json", "test"), "new store");
  EXPECT_FALSE(fs::exists(output / kRowsFolder / "layer_01"));
  EXPECT_FALSE(fs::exists(staging.path()));
}

TEST_F(StagingTest, AMoveStoppedInTheMiddleIsCompletedByTheNextReader) {
  const StagingFolder staging(output);
  write_file_atomically(staging.path() / kManifestFile, "new manifest");
  write_file_atomically(staging.path() / kLayersFile, "new layers");
  write_file_atomically(output / kAnswersFile, "new answers");  // already moved
  fs::remove(output / kManifestFile);
  finish_publishing(output);
  EXPECT_EQ(text(kManifestFile), "new manifest");
  EXPECT_EQ(text(kLayersFile), "new layers");
  EXPECT_EQ(text(kAnswersFile), "new answers");
}

TEST_F(StagingTest, TakesOverWhatItLacks) {
  const StagingFolder staging(output);
  staging.take_over(kAnswersFile);
  staging.take_over(kLayersFile);
  EXPECT_EQ(read_file(staging.path() / kAnswersFile, "test"), "old answers");
  EXPECT_FALSE(fs::exists(staging.path() / kLayersFile));
  write_file_atomically(staging.path() / kAnswersFile, "newer answers");
  staging.take_over(kAnswersFile);
  EXPECT_EQ(read_file(staging.path() / kAnswersFile, "test"), "newer answers");
  staging.clear();
  EXPECT_TRUE(fs::is_empty(staging.path()));
}

TEST_F(StagingTest, AFileWhereTheFolderShouldBeIsADiskError) {
  try {
    StagingFolder staging(output / kAnswersFile);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kDisk);
  }
}

}  // namespace
}  // namespace fi
