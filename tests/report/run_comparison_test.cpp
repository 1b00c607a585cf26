#include "fi/report/run_comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "fi/core/error.h"
#include "fi/io/atomic_file.h"
#include "fi/report/write_report.h"
#include "sample_report.h"

namespace fi {
namespace {

using testing::HasSubstr;
using testing::Not;

std::vector<ComparedRun> three_runs() {
  Report changed = samples::rich_report();
  changed.categories[1].largest_effect = -0.99;
  return {{"step-100", samples::empty_report()}, {"step-200", samples::rich_report()}, {"step-300", changed}};
}

TEST(RunRows, SayWhatEachTargetChanged) {
  const std::vector<RunRow> rows = run_rows(three_runs());
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].claims, "none");
  EXPECT_EQ(rows[0].strongest, "No difference found between the two models.");
  EXPECT_EQ(rows[0].layer, "");
  EXPECT_EQ(rows[1].claims, "1 suggestive, 1 untested");
  EXPECT_EQ(rows[1].effect, "19% → 94%");
  EXPECT_EQ(rows[1].layer, "19 (0.424)");
}

TEST(CapabilityRows, PutTheLargestChangeOfAnyRunFirst) {
  const std::vector<CapabilityRow> rows = capability_rows(three_runs());
  ASSERT_EQ(rows.size(), 14u);
  EXPECT_EQ(rows[0].title, "Word problems");
  EXPECT_TRUE(std::isnan(rows[0].effects[0]));  // the first run has no such row
  EXPECT_EQ(rows[0].effects[1], 0.88);
  EXPECT_EQ(rows[0].effects[2], -0.99);
  EXPECT_EQ(rows[1].title, "Arithmetic");
}

TEST(Comparison, PagesAreInert) {
  std::vector<ComparedRun> runs = three_runs();
  runs.push_back({samples::kScript, samples::nasty_report()});
  const std::string page = comparison_html(runs), text = comparison_markdown(runs), csv = comparison_csv(runs);
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("<img")));
  EXPECT_THAT(page, HasSubstr("&lt;img src=x onerror=alert(1)&gt;"));
  EXPECT_THAT(text, Not(HasSubstr("<")));
  for (const std::string& written : {page, text, csv}) EXPECT_THAT(written, Not(HasSubstr("\x1b")));
}

class ReadRuns : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::remove_all(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  const std::filesystem::path folder_ = std::filesystem::path(testing::TempDir()) / "fi_read_runs";
};

TEST_F(ReadRuns, ReadsWhatReportsWrite) {
  write_report(samples::empty_report(), folder_ / "a/reports", "markdown");
  write_report(samples::rich_report(), folder_ / "b/reports", "markdown");
  const std::vector<ComparedRun> runs = read_runs({folder_ / "a", folder_ / "b/"});
  EXPECT_EQ(runs[0].name, "a");
  EXPECT_EQ(runs[1].name, "b");
  EXPECT_EQ(runs[1].report.claims.size(), 2u);
  EXPECT_EQ(write_comparison(runs, folder_ / "table").size(), 3u);
  EXPECT_THAT(read_file(folder_ / "table/comparison.html", "test"), HasSubstr("2 targets of SmolLM2-135M-Instruct"));
}

TEST_F(ReadRuns, NamesTheFolderWithoutAReport) {
  try {
    read_runs({folder_ / "nowhere"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
    EXPECT_THAT(error.what(), HasSubstr("nowhere"));
  }
}

TEST_F(ReadRuns, RefusesRunsOfTwoBases) {
  Report other = samples::rich_report();
  other.base.sha256 = std::string(64, 'f');
  write_report(samples::rich_report(), folder_ / "a/reports", "markdown");
  write_report(other, folder_ / "b/reports", "markdown");
  try {
    read_runs({folder_ / "a", folder_ / "b"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kIncompatible);
  }
}

}  // namespace
}  // namespace fi
