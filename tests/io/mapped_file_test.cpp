#include "fi/io/mapped_file.h"

#include <gtest/gtest.h>

#include "tests/support/failure.h"
#include "tests/support/temporary_folder.h"

namespace fi {
namespace {

std::string text_of(const MappedFile& file) { return {reinterpret_cast<const char*>(file.bytes().data()), file.size()}; }

TEST(MappedFile, HoldsTheBytesOfTheFile) {
  const TemporaryFolder folder;
  const auto path = folder.write("file", std::string("a\0b", 3));
  const auto file = MappedFile::open(path, "test");
  EXPECT_EQ(text_of(*file), std::string("a\0b", 3));
  EXPECT_EQ(file->path(), path);
}

TEST(MappedFile, AnEmptyFileHasNoBytes) {
  const TemporaryFolder folder;
  EXPECT_EQ(MappedFile::open(folder.write("file", ""), "test")->size(), 0u);
}

// Atomic replacement, as every writer of ours does it, leaves a reader with the old file.
TEST(MappedFile, StaysWhenTheFileIsReplacedOrRemoved) {
  const TemporaryFolder folder;
  const auto path = folder.write("file", "old");
  const auto file = MappedFile::open(path, "test");
  std::filesystem::rename(folder.write("next", "a longer one"), path);
  EXPECT_EQ(text_of(*file), "old");
  std::filesystem::remove(path);
  EXPECT_EQ(text_of(*file), "old");
}

TEST(MappedFile, FollowsLinksAndNamesBrokenOnes) {
  const TemporaryFolder folder;
  folder.write("blobs/x", "blob");
  std::filesystem::create_symlink("blobs/x", folder.path() / "good");
  std::filesystem::create_symlink("blobs/y", folder.path() / "broken");
  EXPECT_EQ(text_of(*MappedFile::open(folder.path() / "good", "test")), "blob");
  expect_failure([&] { MappedFile::open(folder.path() / "broken", "test"); }, ErrorCode::kNotFound, {"[test]", "broken"});
}

}  // namespace
}  // namespace fi
