#include "fi/io/csv.h"

#include <gtest/gtest.h>

namespace fi {
namespace {

TEST(CsvRow, QuotesOnlyWhereNeeded) {
  EXPECT_EQ(csv_row({"plain", "a,b", "say \"hi\"", "two\nlines", "", "ü"}),
            "plain,\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\",,ü\n");
  EXPECT_EQ(csv_row({}), "\n");
}

TEST(CsvTable, HasNamesThenRowsWithEveryDigit) {
  const std::vector<TableColumn> columns = {{"name", TableColumn::Texts{"=a,b", std::nullopt}},
                                            {"share", TableColumn::Numbers{0.1, 1.0 / 3.0}},
                                            {"count", TableColumn::Integers{std::nullopt, -2}}};
  EXPECT_EQ(csv_table(columns), "name,share,count\n\"'=a,b\",0.1,\n,0.3333333333333333,-2\n");
}

class Formula : public testing::TestWithParam<std::string> {};

TEST_P(Formula, IsMadeText) {
  const std::string row = csv_row({GetParam()});
  EXPECT_TRUE(row.starts_with("'") || row.starts_with("\"'")) << row;
}

INSTANTIATE_TEST_SUITE_P(Csv, Formula,
                         testing::Values("=1+1", "=cmd|' /C calc'!A0", "+SUM(A1)", "-2+3+cmd|' /C calc'!A0", "@SUM(A1)", "\t=1",
                                         "\r=1", "\n=1", "-", "+", "--1", "-1-1", "=", " =1", "\uFF1D1+1"));

class Number : public testing::TestWithParam<std::string> {};

TEST_P(Number, StaysANumber) { EXPECT_EQ(csv_row({GetParam()}), GetParam() + "\n"); }

INSTANTIATE_TEST_SUITE_P(Csv, Number, testing::Values("0", "-1", "+1", "-0.25", "1e-05", "-1.5E+10", "-.5", "nan", "-inf"));

}  // namespace
}  // namespace fi
