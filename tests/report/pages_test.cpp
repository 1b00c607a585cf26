#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "fi/core/error.h"
#include "fi/io/atomic_file.h"
#include "fi/report/html.h"
#include "fi/report/markdown.h"
#include "fi/report/overview.h"
#include "fi/report/tables.h"
#include "fi/report/write_report.h"
#include "sample_report.h"

namespace fi {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(MarkdownText, IsInert) {
  EXPECT_EQ(markdown_text("a|b"), "a&#124;b");
  EXPECT_EQ(markdown_text("`x` *y* _z_"), "\\`x\\` \\*y\\* \\_z\\_");
  EXPECT_EQ(markdown_text("<b>&amp;"), "&lt;b&gt;&amp;amp;");
  EXPECT_EQ(markdown_text("[x](javascript:1)"), "\\[x\\](javascript:1)");
  EXPECT_EQ(markdown_text("see https://a.b and www.c.d"), "see https&#58;//a.b and www&#46;c.d");
  EXPECT_EQ(markdown_text("one\ntwo"), "one⏎two");
  EXPECT_EQ(markdown_text("- item"), "\\- item");
  EXPECT_EQ(markdown_text("1. item"), "1\\. item");
  EXPECT_EQ(markdown_text("    code"), "code");
}

TEST(MarkdownBlock, CannotBeClosedFromInside) {
  EXPECT_EQ(markdown_block("a ```` b"), "`````text\na ```` b\n`````\n");
  EXPECT_EQ(markdown_block("one two three", 8), "```text\none two\nthree\n```\n");
  EXPECT_EQ(markdown_block("a\n\nb"), "```text\na\n\nb\n```\n");
}

TEST(Markdown, HasTheSectionsOfAReport) {
  const std::string text = to_markdown(samples::rich_report(), {.figures_folder = "../visualizations"});
  size_t at = 0;
  for (const char* section :
       {"## Summary of model differences", "## Feature overview", "## Layer-by-layer analysis", "## Visualizations",
        "## Conclusion and overall assessment", "## What we could not see", "## Methods and settings"}) {
    const size_t found = text.find(section, at);
    ASSERT_NE(found, std::string::npos) << section;
    at = found;
  }
  EXPECT_THAT(text, HasSubstr("](../visualizations/layer_map.png)"));
  EXPECT_THAT(text, HasSubstr("](../visualizations/claim-1_evidence.png)"));
}

TEST(ShortName, IsTheLastPartOfAPath) {
  const auto shorten_name = [](const char* name) { return short_name({.name = name}); };
  EXPECT_EQ(shorten_name("/data/models/base.Q4_1.gguf"), "base.Q4_1.gguf");
  EXPECT_EQ(shorten_name("/data/base.gguf + a/b"), "base.gguf + a/b");
  EXPECT_EQ(shorten_name("../models/base"), "base");
  EXPECT_EQ(shorten_name("org/name"), "org/name");
  EXPECT_EQ(shorten_name("/data/models/"), "/data/models/");
}

TEST(Pages, ShowTheRaceOfSimpleMethodsWhereOneWasRun) {
  const Report report = samples::rich_report();
  const std::string markdown = to_markdown(report, {.figures_folder = "v"}), html = to_html(report);
  for (const std::string& page : {markdown, html}) {
    EXPECT_THAT(page, HasSubstr("Simple methods beside the crosscoder"));
    EXPECT_THAT(page, HasSubstr("A simple method does better than the crosscoder at 1 of 2 numbers of directions"));
    EXPECT_THAT(page, HasSubstr("PCA of the difference, 32 directions"));
    EXPECT_THAT(page, HasSubstr("activation difference lens, 1 direction"));
  }
  EXPECT_THAT(markdown, HasSubstr("](v/baselines_race.png)"));
  for (const std::string& page : {to_markdown(samples::empty_report(), {}), to_html(samples::empty_report())})
    EXPECT_THAT(page, Not(HasSubstr("Simple methods")));
}

TEST(Markdown, TablesHaveAsManyCellsInEveryRow) {
  const std::string text = to_markdown(samples::nasty_report(), {.figures_folder = "v"});
  size_t cells = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    const size_t bars = line.rfind("| ", 0) == 0 ? static_cast<size_t>(std::count(line.begin(), line.end(), '|')) : 0;
    if (bars && cells) {
      EXPECT_EQ(bars, cells) << line;
    }
    cells = bars;
  }
}

TEST(Markdown, LeavesNoHtmlOfAnswersOutsideFences) {
  const std::string text = to_markdown(samples::nasty_report(), {});
  bool fenced = false;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    if (line.rfind("```", 0) == 0) fenced = !fenced;
    if (!fenced) {
      EXPECT_THAT(line, Not(HasSubstr("<"))) << line;
    }
  }
  EXPECT_FALSE(fenced);
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST(Markdown, OfNoDifferenceSaysSo) {
  const std::string text = to_markdown(samples::empty_report(), {});
  EXPECT_THAT(text, HasSubstr("**No difference found between the two models.**"));
  EXPECT_THAT(text, HasSubstr("No feature was found"));
}

TEST(ScriptHash, IsWhatBrowsersCompute) {
  EXPECT_EQ(script_hash("alert('Hello, world.');"), "sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng=");
  EXPECT_EQ(script_hash(""), "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
}

size_t count(const std::string& text, const std::string& part) {
  size_t number = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++number;
  return number;
}

TEST(Html, KeepsUntrustedTextInert) {
  const std::string page = to_html(samples::nasty_report());
  EXPECT_EQ(count(page, "<script"), 4u);  // three of data, and our script
  EXPECT_EQ(count(page, "</script>"), 4u);
  EXPECT_EQ(count(page, "<img"), 0u);
  EXPECT_THAT(page, Not(HasSubstr("\x1b")));
  EXPECT_THAT(page, HasSubstr("&lt;img src=x onerror=alert(1)&gt;"));
}

TEST(Html, AsksForNothing) {
  constexpr std::string_view kNamespace = "http://www.w3.org/2000/svg";
  for (const Report& report : {samples::rich_report(), samples::empty_report()}) {
    std::string page = to_html(report);
    EXPECT_THAT(page, HasSubstr("content=\"default-src 'none'; style-src 'sha256-"));
    page.erase(page.find("<script>"));  // the bundled libraries name such addresses; the browser's tests count requests
    for (size_t at = page.find(kNamespace); at != std::string::npos; at = page.find(kNamespace))
      page.erase(at, kNamespace.size());
    for (const char* address : {"http://", "https://", "url(", "@import", " style=", "src="}) {
      EXPECT_THAT(page, Not(HasSubstr(address)));
    }
  }
}

TEST(Html, LinksClaimsToTheirFeatures) {
  const std::string page = to_html(samples::rich_report());
  EXPECT_THAT(page, HasSubstr("id=\"claim-1\""));
  EXPECT_THAT(page, HasSubstr("href=\"#feature-L18-pca-0\""));
}

TEST(Tables, QuoteAndDisarmCells) {
  const std::string claims = claims_csv(samples::nasty_report());
  EXPECT_THAT(claims, HasSubstr("'=cmd"));
  EXPECT_EQ(features_csv(samples::empty_report()).find('\n'), features_csv(samples::empty_report()).size() - 1);
}

TEST(Overview, FlattensNestedSettings) {
  const auto rows = flatten(Json::parse(R"({"a_b":{"c":[1,"x"],"d":null},"e":true,"f":-2,"g":{}})"));
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"a b: c", "1, x"}, {"a b: d", "not known"}, {"e", "yes"}, {"f", "-2"}, {"g", "{}"}};
  EXPECT_EQ(rows, expected);
}

class WriteReport : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::remove_all(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  const std::filesystem::path folder_ = std::filesystem::path(testing::TempDir()) / "fi_write_report";
};

TEST_F(WriteReport, WritesWhatTheFormatSays) {
  const ReportFiles files = write_report(samples::rich_report(), folder_, "markdown");
  EXPECT_TRUE(std::filesystem::exists(files.json));
  EXPECT_TRUE(std::filesystem::exists(files.features_csv));
  EXPECT_TRUE(std::filesystem::exists(files.features_parquet));
  EXPECT_TRUE(std::filesystem::exists(files.markdown));
  EXPECT_TRUE(files.html.empty());
  EXPECT_FALSE(std::filesystem::exists(folder_ / "report.html"));
  EXPECT_THROW(write_report(samples::rich_report(), folder_, "pdf"), Error);
}

TEST_F(WriteReport, GivesTheSameBytesTwice) {
  const ReportFiles first = write_report(samples::nasty_report(), folder_ / "a", "both");
  const ReportFiles second = write_report(samples::nasty_report(), folder_ / "b", "both");
  EXPECT_EQ(read_file(first.html, "test"), read_file(second.html, "test"));
  EXPECT_EQ(read_file(first.markdown, "test"), read_file(second.markdown, "test"));
  EXPECT_EQ(read_file(first.json, "test"), read_file(second.json, "test"));
  EXPECT_EQ(read_file(first.features_parquet, "test"), read_file(second.features_parquet, "test"));
}

TEST(FeatureNotes, SayHowWellANameHolds) {
  FeatureRow feature;
  EXPECT_TRUE(feature_notes(feature).empty());
  feature.name = "fires on tea";
  feature.name_score = 0.96;
  feature.name_low = 0.88;
  feature.name_high = 0.99;
  feature.name_places = NamePlacesRow{14, 12, 13, 3};
  EXPECT_EQ(feature_notes(feature),
            (std::vector<std::string>{"name tells held-out examples apart with balanced accuracy 0.96 (0.88 to 0.99)",
                                      "it fits 12 of 14 places where the feature is active, 3 of 13 where it is quiet"}));
  feature = {};
  feature.name_score = 0.6;  // as an earlier version wrote it, and below the bar
  EXPECT_EQ(feature_notes(feature),
            std::vector<std::string>{"the best name tells held-out examples apart with balanced accuracy 0.6"});
}

TEST(Pages, SayWhatTokensAloneDo) {
  EXPECT_EQ(token_cue_text({{" Step", ":"}, 5, 8}),
            "a token cue: “Step”, “:” alone, put into texts that leave it quiet, fire it in 5 of 8");
  EXPECT_EQ(token_cue_text({{"\n"}, 3, 8}),
            "no token cue seen: “⏎” alone, put into texts that leave it quiet, fires it in 3 of 8");
}

TEST(Pages, SayWhatHoldsInSampledAnswers) {
  Claim claim = samples::stepwise_claim();
  EXPECT_EQ(sampled_text(claim),
            "Sampled answers show it too (temperature 0.7, 24 answers to 12 prompts): 12% → 79%, difference +46 to +83 points");
  claim.sampled->ci_low = -0.02;
  EXPECT_THAT(sampled_text(claim), testing::StartsWith("Sampled answers do not show it for certain"));
  std::swap(claim.effect.base, claim.effect.target);  // a loss
  claim.sampled->ci_high = -0.01;
  EXPECT_THAT(sampled_text(claim), testing::StartsWith("Sampled answers show it too"));
}

TEST(Pages, DoNotCallModelsAlikeWhereSomethingShowedThatWasNotCertain) {
  Report report = samples::empty_report();
  report.not_confirmed.clear();
  EXPECT_EQ(no_claim_title(report), "Nothing to report, and that is a result");
  EXPECT_THAT(conclusion(report).front(), HasSubstr("the target behaves like the base"));
  report.not_confirmed.resize(1);
  EXPECT_EQ(no_claim_title(report), "No difference was certain");
  EXPECT_THAT(conclusion(report).front(), HasSubstr("no proof that the models are alike"));
}

TEST(Pages, SayOnlyOfLocatedClaimsThatTheyAreLocated) {
  const Claim nowhere{.verdict = "suggestive"}, located{.verdict = "suggestive", .layers = {3, 4}};
  EXPECT_EQ(verdict_meaning(nowhere, {}), "differs on fresh prompts; no causal test has been passed");
  EXPECT_EQ(verdict_meaning(located, {}), "differs on fresh prompts and is located, but no causal test has been passed");
  const Claim unsure{.verdict = "suggestive", .layers = {3}, .necessity = CausalTest{.passed = true}};
  EXPECT_EQ(verdict_meaning(unsure, {}),
            "differs on fresh prompts and passed a causal test, but is not certain where answers are sampled");
  EXPECT_EQ(verdict_meaning(nowhere, {.relation = "outputs-only", .fresh_prompts = false}),
            "differs on these few prompts; where it comes from was not tested");
}

}  // namespace
}  // namespace fi
