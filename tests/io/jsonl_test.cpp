#include "fi/io/jsonl.h"

#include <gtest/gtest.h>

#include "fi/io/atomic_file.h"
#include "tests/support/failure.h"
#include "tests/support/full_disk.h"
#include "tests/support/temporary_folder.h"

namespace fi {
namespace {

TEST(Jsonl, AnAbsentFileHasNoRows) { EXPECT_TRUE(read_jsonl("/nonexistent/rows.jsonl", "test").empty()); }

TEST(Jsonl, AppendsAndReadsBack) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "deep/rows.jsonl";
  {
    JsonlAppender rows(path);
    rows.append({{"text", "line\nbreak \xff"}});  // bytes that are no UTF-8 are replaced, never written
    rows.append({{"n", 2}});
    rows.flush();
  }
  JsonlAppender(path).append({{"n", 3}});
  const std::vector<Json> rows = read_jsonl(path, "test");
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0]["text"], "line\nbreak \uFFFD");
  EXPECT_EQ(rows[2]["n"], 3);
}

// A run that was killed while it wrote: whatever was cut off, the whole rows are read, and a resumed run continues after them.
TEST(Jsonl, EveryTornEndIsLeftOutAndOverwritten) {
  const TemporaryFolder folder;
  const std::string whole = "{\"n\":1}\n{\"n\":2}\n";
  for (size_t size = 0; size <= whole.size(); ++size) {
    const auto path = folder.write("rows.jsonl", whole.substr(0, size));
    const auto num_whole = static_cast<size_t>(std::count(whole.begin(), whole.begin() + static_cast<int64_t>(size), '\n'));
    EXPECT_EQ(read_jsonl(path, "test").size(), num_whole) << size;
    JsonlAppender(path).append({{"n", 9}});
    const std::vector<Json> rows = read_jsonl(path, "test");
    ASSERT_EQ(rows.size(), num_whole + 1) << size;
    EXPECT_EQ(rows.back()["n"], 9);
  }
}

TEST(Jsonl, ABadLineInTheMiddleIsNamed) {
  const TemporaryFolder folder;
  const auto read = [&](std::string_view text) {
    const auto path = folder.write("rows.jsonl", text);
    return [path] { read_jsonl(path, "test"); };
  };
  expect_failure(read("{}\n\n{\"a\":}\n{}\n"), ErrorCode::kInvalid, {"line 3 of", "rows.jsonl", "column 6"});
  expect_failure(read("{}\n{\"a\":\"\xff\"}\n"), ErrorCode::kInvalid, {"line 2 of", "rows.jsonl"});
  expect_failure(read(std::string("{}\n{\"a\":\0}\n", 11)), ErrorCode::kInvalid, {"line 2 of", "rows.jsonl"});
  expect_failure(read("{}\n" + std::string(1'000'000, '[') + "\n"), ErrorCode::kInvalid, {"line 2 of", "nested deeper"});
}

TEST(Jsonl, AFolderThatCannotBeWrittenIsNamed) {
  expect_failure([] { JsonlAppender rows("/proc/none/rows.jsonl"); }, ErrorCode::kDisk, {"/proc/none"});
}

TEST(Jsonl, AFullDiskIsAnErrorAndKeepsWholeRows) {
  const TemporaryFolder folder;
  const auto path = folder.write("rows.jsonl", "{\"n\":1}\n");
  const auto append = [&] {
    JsonlAppender rows(path);
    rows.append({{"text", std::string(100, 'x')}});
    rows.flush();
  };
  EXPECT_EQ(code_on_full_disk(50, "rows.jsonl", append), 10);
  EXPECT_EQ(read_jsonl(path, "test").size(), 1u);
}

}  // namespace
}  // namespace fi
