#include "fi/io/parquet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <limits>

#include "fi/core/error.h"
#include "fi/core/json.h"
#include "tests/support/failure.h"
#include "tests/support/temporary_folder.h"

namespace fi {
namespace {

using testing::HasSubstr;
using Texts = TableColumn::Texts;

const std::vector<TableColumn> kTable = {
    {"text", Texts{"one", std::nullopt, "", "ü \U0001F600 \"x\"\n"}},
    {"count", TableColumn::Integers{1, std::numeric_limits<int64_t>::min(), std::nullopt, 4}},
    {"share", TableColumn::Numbers{0.1, std::nullopt, 1e-300, -2.0}}};

class ParquetFile : public testing::Test {
 protected:
  std::filesystem::path write(std::string_view bytes) {
    const auto path = folder_.path() / "table.parquet";
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }

  static std::string read(const std::filesystem::path& path, const std::vector<std::string>& wanted) {
    ParquetRows rows(path, wanted, "test");
    std::string all;
    for (std::string lines = rows.next_lines(); !lines.empty(); lines = rows.next_lines()) all += lines;
    return all;
  }

  const TemporaryFolder folder_;
};

TEST_F(ParquetFile, GivesBackEveryCellOfEveryType) {
  const auto path = write(parquet_bytes(kTable));
  EXPECT_EQ(read(path, {"text"}), R"({"text":"one"})"
                                  "\n"
                                  R"({"text":null})"
                                  "\n"
                                  R"({"text":""})"
                                  "\n"
                                  R"({"text":"ü 😀 \"x\"\n"})"
                                  "\n");
  EXPECT_EQ(read(path, {"count"}), "{\"count\":1}\n{\"count\":-9223372036854775808}\n{\"count\":null}\n{\"count\":4}\n");
  EXPECT_EQ(read(path, {"share"}), "{\"share\":0.1}\n{\"share\":null}\n{\"share\":1e-300}\n{\"share\":-2.0}\n");
}

TEST_F(ParquetFile, GivesTheSameBytesTwice) { EXPECT_EQ(parquet_bytes(kTable), parquet_bytes(kTable)); }

TEST_F(ParquetFile, MayHaveNoRows) {
  const auto path = write(parquet_bytes(std::vector<TableColumn>{{"text", Texts{}}, {"n", TableColumn::Integers{}}}));
  EXPECT_EQ(read(path, {"n"}), "");
}

TEST_F(ParquetFile, IsReadInPartsUpToTheEnd) {
  Texts texts;
  for (int i = 0; i < 1000; ++i) texts.push_back(fmt::format("text {}", i));
  const std::string all = read(write(parquet_bytes(std::vector<TableColumn>{{"text", texts}})), {"text"});
  EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 1000);
  EXPECT_THAT(all, HasSubstr("text 999"));
}

TEST_F(ParquetFile, GivesTheFirstWantedColumnOfThoseItHas) {
  const auto path = write(parquet_bytes(kTable));
  EXPECT_THAT(read(path, {"absent", "count"}), HasSubstr("{\"count\":1}"));
  expect_failure([&] { read(path, {"absent", "gone"}); }, ErrorCode::kInvalid,
                 {"table.parquet: it has no column 'absent' or 'gone', only text, count, share"});
}

TEST_F(ParquetFile, RefusesTextThatIsNotUtf8) {
  expect_failure([] { parquet_bytes(std::vector<TableColumn>{{"text", Texts{"\xff"}}}); }, ErrorCode::kInvalid, {"not UTF-8"});
}

TEST_F(ParquetFile, RefusesColumnsOfUnequalLength) {
  EXPECT_THROW(parquet_bytes(std::vector<TableColumn>{{"a", Texts{"x"}}, {"b", Texts{}}}), Error);
}

TEST_F(ParquetFile, CutAnywhereIsAnErrorAndNeverTheEndOfTheProcess) {
  const std::string whole = parquet_bytes(kTable);
  for (size_t size = 0; size < whole.size(); size += 11)
    EXPECT_THROW(read(write(std::string_view(whole).substr(0, size)), {"text"}), Error) << size;
}

// Damage may go unseen (the format has no check sums here): what counts is that reading ends, in rows or in an error.
TEST_F(ParquetFile, WithAnyByteTurnedIsReadOrRefused) {
  const std::string whole = parquet_bytes(kTable);
  size_t refused = 0, tried = 0;
  for (size_t i = 0; i < whole.size(); i += 5, ++tried) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(~damaged[i]);
    try {
      read(write(damaged), {"text"});
    } catch (const Error&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, tried / 4);
}

}  // namespace
}  // namespace fi
