#include "fi/io/atomic_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "tests/support/failure.h"
#include "tests/support/full_disk.h"
#include "tests/support/temporary_folder.h"

namespace fi {
namespace {

TEST(WriteFileAtomically, MakesFoldersAndReplacesTheOldFile) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "a/b/file.bin";
  write_file_atomically(path, "old");
  write_file_atomically(path, std::string("n\0ew", 4));
  EXPECT_EQ(read_file(path, "test"), std::string("n\0ew", 4));
  EXPECT_EQ(folder.files(), std::set<std::string>{"a/b/file.bin"});
  write_file_atomically(path, "");
  EXPECT_EQ(read_file(path, "test"), "");
}

// Rows 34 and 35: the disk is full after every possible number of bytes.
TEST(WriteFileAtomically, FullDiskLeavesTheOldFileAndNothingElse) {
  const TemporaryFolder folder;
  const auto path = folder.write("file.bin", "old");
  const std::string bytes(64, 'x');
  for (size_t room = 0; room < bytes.size(); ++room) {
    EXPECT_EQ(code_on_full_disk(room, "file.bin", [&] { write_file_atomically(path, bytes); }), 10) << room;
    EXPECT_EQ(read_file(path, "test"), "old");
    EXPECT_EQ(folder.files(), std::set<std::string>{"file.bin"});
  }
  EXPECT_EQ(code_on_full_disk(bytes.size(), "file.bin", [&] { write_file_atomically(path, bytes); }), 0);
  EXPECT_EQ(read_file(path, "test"), bytes);
}

// Row 36: the rename fails because a folder has the name.
TEST(WriteFileAtomically, FailedRenameLeavesNoTemporaryFile) {
  const TemporaryFolder folder;
  folder.write("file.bin/inside", "kept");
  expect_failure([&] { write_file_atomically(folder.path() / "file.bin", "new"); }, ErrorCode::kDisk, {"file.bin", "directory"});
  EXPECT_EQ(folder.files(), std::set<std::string>{"file.bin/inside"});
}

TEST(WriteFileAtomically, FoldersThatCannotBeMadeAreNamed) {
  const TemporaryFolder folder;
  folder.write("file", "");
  expect_failure([&] { write_file_atomically(folder.path() / "file/x", "new"); }, ErrorCode::kDisk,
                 {(folder.path() / "file").string()});
  expect_failure([&] { make_folder(folder.path() / "file"); }, ErrorCode::kDisk, {"file"});
  expect_failure([] { write_file_atomically("/proc/none/x", "new"); }, ErrorCode::kDisk, {"/proc/none"});
}

// What another process left under our temporary name is neither followed nor removed.
TEST(WriteFileAtomically, DoesNotFollowAPlantedLink) {
  const TemporaryFolder folder;
  const auto victim = folder.write("victim", "untouched");
  const auto path = folder.path() / "file.bin";
  for (int i = 0; i < 3; ++i) {
    std::filesystem::create_symlink(victim, fmt::format("{}.{}.{}.tmp", path.string(), ::getpid(), i));
  }
  write_file_atomically(path, "new");
  EXPECT_EQ(read_file(victim, "test"), "untouched");
  EXPECT_EQ(read_file(path, "test"), "new");
}

TEST(WriteFileAtomically, ManyThreadsWriteOneFileWhole) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "file.bin";
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int k = 0; k < 10; ++k) write_file_atomically(path, std::string(10'000, static_cast<char>('a' + i)));
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::string text = read_file(path, "test");
  EXPECT_EQ(text, std::string(10'000, text[0]));
  EXPECT_EQ(folder.files(), std::set<std::string>{"file.bin"});
}

TEST(ReadFile, SaysWhatIsWrongWithThePath) {
  const TemporaryFolder folder;
  const std::string name = (folder.path() / "x").string();
  expect_failure([&] { read_file(name, "test"); }, ErrorCode::kNotFound, {"[test]", name, "No such file"});
  expect_failure([&] { read_file(folder.path(), "test"); }, ErrorCode::kInvalid, {folder.path().string(), "not a regular file"});
  ASSERT_EQ(::mkfifo(name.c_str(), 0600), 0);
  expect_failure([&] { read_file(name, "test"); }, ErrorCode::kInvalid, {name, "not a regular file"});  // and does not wait
}

}  // namespace
}  // namespace fi
