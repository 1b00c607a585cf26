#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <set>

#include "fi/report/figures/figure.h"
#include "rust/cpp/raster.h"
#include "sample_report.h"

namespace fi {
namespace {

constexpr double kTolerance = 0.75;  // pixels

std::vector<Figure> every_figure(const Report& report) {
  std::vector<Figure> figures = make_figures(report);
  for (const double width : {300.0, 340.0, 440.0, 700.0, 1000.0}) {
    const Canvas canvas{width, false};
    figures.push_back(draw_layer_map(report, canvas));
    figures.push_back(draw_feature_distribution(report, canvas));
    figures.push_back(draw_capability_change(report, canvas));
    figures.push_back(draw_feature_usage(report, canvas));
    figures.push_back(draw_residual_norms(report, canvas));
    figures.push_back(draw_weight_change(report, canvas));
    figures.push_back(draw_depth_similarity(report, canvas));
    for (const NormHistogram& norms : report.decoder_norms) figures.push_back(draw_decoder_norms(norms, canvas));
    if (report.baselines) figures.push_back(draw_baselines_race(*report.baselines, canvas));
    for (const Claim& claim : report.claims) {
      figures.push_back(draw_effect(claim.effect, canvas));
      figures.push_back(draw_claim_layers(claim, report.base.num_layers, canvas));
      figures.push_back(draw_claim_evidence(claim, report.base.num_layers, canvas));
    }
  }
  return figures;
}

bool overlap(const Box& a, const Box& b) {
  return a.x + a.width > b.x + kTolerance && b.x + b.width > a.x + kTolerance && a.y + a.height > b.y + kTolerance &&
         b.y + b.height > a.y + kTolerance;
}

Box view_box(const std::string& svg) {
  const size_t at = svg.find("viewBox=\"0 0 ") + 13;
  size_t used = 0;
  const double width = std::stod(svg.substr(at), &used);
  return {0, 0, width, std::stod(svg.substr(at + used))};
}

class Figures : public testing::TestWithParam<Report> {};

TEST_P(Figures, NoTextOverlapsAnother) {
  for (const Figure& figure : every_figure(GetParam())) {
    const auto& boxes = figure.text_boxes;
    for (size_t i = 0; i < boxes.size(); ++i) {
      for (size_t j = i + 1; j < boxes.size(); ++j) {
        EXPECT_FALSE(overlap(boxes[i].box, boxes[j].box)) << figure.file_stem << " of width " << view_box(figure.svg).width
                                                          << ": '" << boxes[i].text << "' and '" << boxes[j].text << "'";
      }
    }
  }
}

TEST_P(Figures, NoTextIsCutByTheEdge) {
  for (const Figure& figure : every_figure(GetParam())) {
    const Box page = view_box(figure.svg);
    for (const TextBox& text : figure.text_boxes) {
      const Box& box = text.box;
      const bool inside =
          box.x >= -0.5 && box.y >= -0.5 && box.x + box.width <= page.width + 0.5 && box.y + box.height <= page.height + 0.5;
      EXPECT_TRUE(inside) << figure.file_stem << " of width " << page.width << ": '" << text.text << "' at " << box.x << ","
                          << box.y << " width " << box.width;
    }
  }
}

// A page's style sheet colours its drawings by class, in light and in dark; a file has only what stands in it.
TEST_P(Figures, NameColoursInFilesOnly) {
  for (const Figure& figure : make_figures(GetParam())) EXPECT_THAT(figure.svg, testing::HasSubstr(" fill=\"#fdfcfa\"/>"));
  for (const Canvas canvas : {Canvas{1000, false}, Canvas{340, false}}) {
    const std::string svg = draw_layer_map(GetParam(), canvas).svg;
    EXPECT_THAT(svg, testing::AllOf(testing::Not(testing::HasSubstr("=\"#")), testing::Not(testing::HasSubstr("fill=\"none"))));
    EXPECT_THAT(svg, testing::HasSubstr("class=\"f-"));
  }
}

TEST_P(Figures, HaveSafeUniqueNamesAndEqualBytes) {
  const std::vector<Figure> figures = make_figures(GetParam()), again = make_figures(GetParam());
  std::set<std::string> stems;
  for (size_t i = 0; i < figures.size(); ++i) {
    EXPECT_TRUE(stems.insert(figures[i].file_stem).second) << figures[i].file_stem;
    EXPECT_EQ(figures[i].file_stem.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."),
              std::string::npos);
    EXPECT_EQ(figures[i].svg, again[i].svg);
    EXPECT_FALSE(figures[i].alt.empty());
    EXPECT_THAT(figures[i].svg, testing::Not(testing::HasSubstr("<script")));
    EXPECT_THAT(figures[i].svg, testing::Not(testing::HasSubstr("<img")));
  }
}

Report broken_numbers() {
  Report report = samples::rich_report();
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  report.layers[2].relative_difference = nan;
  report.layers[3].noise_floor = infinity;
  report.layers[4].kl_recovered = -infinity;
  report.claims[0].effect.ci_high = nan;
  report.claims[1].effect.target = infinity;
  report.claims[1].effect.base = -1e300;
  report.features[0].base_use = nan;
  report.features[0].target_use = 1e300;
  report.features[0].examples[0].tokens[0].base = nan;
  report.features[0].layer = -5;
  report.features[1].layer = int64_t{1} << 40;
  report.categories[0].largest_effect = nan;
  report.decoder_norms = {{-3, {}}, {4, {0, 0}}, {5, {-7, int64_t{1} << 60, 2}}};
  report.baselines->rows[0] = {"PCA of the difference", -5, nan, -infinity, infinity, nan};
  report.weight_changes[0].relative_change = nan;
  report.weight_changes[1].relative_change = infinity;
  report.weight_changes[2].layer = int64_t{1} << 40;
  report.weight_changes[3].layer = -3;
  report.claims[0].transplants[0] = {-1, int64_t{1} << 40, nan, -infinity, infinity};
  return report;
}

Report one_layer() {
  Report report = samples::rich_report();
  report.layers.resize(1);
  report.base.num_layers = 1;
  report.features.resize(1);
  return report;
}

Report other_shapes() {
  Report report = samples::rich_report();
  report.layers.clear();
  report.weight_changes.clear();
  for (int64_t i = 0; i < 28; ++i)
    report.depth_pairs.push_back({i, i * 24 / 28, 1.0 - 0.03 * static_cast<double>(i), 10.0, 30.0});
  report.depth_pairs[5].similarity = std::numeric_limits<double>::quiet_NaN();
  report.depth_pairs[6].similarity = -0.2;
  return report;
}

INSTANTIATE_TEST_SUITE_P(Samples, Figures,
                         testing::Values(other_shapes(), samples::empty_report(), samples::rich_report(), samples::nasty_report(),
                                         samples::large_report(300), broken_numbers(), one_layer(), Report{}));

std::vector<std::string> texts_of(const Figure& figure) {
  std::vector<std::string> texts;
  for (const TextBox& box : figure.text_boxes) texts.push_back(box.text);
  return texts;
}

TEST(ClaimEvidence, HasRoomForAmountsWithTheirUnits) {
  Claim claim = samples::stepwise_claim();
  EffectEstimate& effect = claim.supporting[2].effect;
  effect.base = 12.94;
  effect.target = 7.36;
  effect.unit = "words per sentence";
  EXPECT_THAT(texts_of(draw_claim_evidence(claim, 30, {})), testing::Contains("12.9 → 7.36 words per sentence"));
}

TEST(CapabilityChange, GivesNoRoomToASideWithoutBars) {
  Report report;
  CategoryRow row;
  row.title = "questions about a given passage or table";
  row.largest_effect = 0.79;
  row.largest_effect_name = "number of sentences";
  report.categories = {row};
  const auto only_more = texts_of(draw_capability_change(report, {}));
  EXPECT_THAT(only_more, testing::AllOf(testing::Contains(row.title), testing::Contains("more in the target →")));
  EXPECT_THAT(only_more, testing::Not(testing::Contains(testing::HasSubstr("less in the target"))));
  report.categories[0].largest_effect = -0.79;
  EXPECT_THAT(texts_of(draw_capability_change(report, {})), testing::Contains("← less in the target"));
}

TEST(FeatureCallout, TokensOfManySpacesTakeNoRoom) {
  FeatureRow feature = samples::sample_feature(18, 0);
  feature.promoted_tokens = {"  \n      "};
  EXPECT_THAT(texts_of(draw_feature_callout(feature, 30, {})), testing::Contains("⏎"));
}

TEST(FeatureUsage, CountsEveryFeatureOnceASide) {
  Report report;
  report.features.resize(4);
  for (size_t i = 0; i < 3; ++i) report.features[i].target_use = std::pow(10.0, static_cast<double>(i));
  report.features[3].base_use = 0.5;
  const Figure figure = draw_feature_usage(report, {});
  EXPECT_THAT(figure.alt, testing::HasSubstr("uses 4 features"));
  EXPECT_THAT(figure.alt, testing::HasSubstr("3 by the base, 1 by the target"));
}

TEST(WeightChange, NamesTheMatrixThatMovedMost) {
  Report report;
  EXPECT_EQ(draw_weight_change(report, {}).alt, "No weights were compared.");
  report.weight_changes = {{0, "mlp.up_proj", 0.0, 1.0}, {1, "mlp.up_proj", 0.0, 1.0}};
  EXPECT_EQ(draw_weight_change(report, {}).alt, "All 2 matrices are equal in both models.");
  report.weight_changes[1].relative_change = 0.25;
  EXPECT_THAT(draw_weight_change(report, {}).alt, testing::HasSubstr("largest in layer 1, mlp.up_proj, at 0.25"));
}

TEST(DepthSimilarity, StandsWhereTheLayerMapWould) {
  const Figure figure = draw_layer_map(other_shapes(), {});
  EXPECT_EQ(figure.file_stem, "layer_map");
  EXPECT_THAT(figure.alt, testing::HasSubstr("in 28 layers"));
}

TEST(WriteFigures, WritesSvgAndPng) {
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "fi_write_figures";
  std::filesystem::remove_all(folder);
  Report report = samples::nasty_report();
  report.features.resize(1);
  report.claims.resize(1);
  const auto paths = write_figures(report, folder, silent_progress());
  EXPECT_EQ(paths.size(), 2 * make_figures(report).size());
  for (const auto& path : paths) EXPECT_GT(std::filesystem::file_size(path), 500u) << path;
  std::filesystem::remove_all(folder);
}

std::string drawing_of(const std::string& text) {
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 90 30\"><text x=\"4\" y=\"20\">" + text + "</text></svg>";
}

// A font that lacks both would draw the same empty boxes twice.
TEST(SvgToPng, DrawsScriptsThatTheBundledFontsLack) {
  EXPECT_NE(svg_to_png(drawing_of("逐步"), 1), svg_to_png(drawing_of("答案"), 1));
  EXPECT_NE(svg_to_png(drawing_of("ある"), 1), svg_to_png(drawing_of("いぬ"), 1));
}

TEST(SvgToPng, DrawsEmojiOldAndNewAndThoseOfSeveralParts) {
  std::set<std::string> drawings;
  const std::vector<std::string> emoji = {"🚀", "🤖", "🥳", "🫠", "🇩🇪", "🇫🇷", "👍🏽", "👍🏿", "👩‍👩‍👧‍👦", "1️⃣"};
  for (const std::string& text : emoji) drawings.insert(svg_to_png(drawing_of(text), 2));
  EXPECT_EQ(drawings.size(), emoji.size());
}

// Beside an emoji of several code points nothing becomes boxes, nor does the emoji: it is drawn as its first code point.
TEST(SvgToPng, DrawsEmojiAmongOtherText) {
  const auto draw = [](const std::string& text) { return svg_to_png(drawing_of(text), 2); };
  EXPECT_NE(draw("Great 👍🏽"), draw("Great 👎🏽"));
  EXPECT_NE(draw("答案 👍🏽"), draw("答案 👎🏽"));
  EXPECT_NE(draw("👍🏽 答案"), draw("👍🏽 逐步"));
  EXPECT_NE(draw("שלום 👍🏽"), draw("שלום 👎🏽"));
  EXPECT_NE(draw("Go 🇩🇪"), draw("Go 🇫🇷"));
  EXPECT_EQ(draw("a 👩‍👩‍👧‍👦 b"), draw("a 👩 b"));
  EXPECT_EQ(draw("Great 👍🏽"), draw("Great 👍"));
  EXPECT_EQ(draw("1️⃣ 🚀"), draw("1 🚀"));
}

TEST(SvgToPng, DrawsABoxForWhatNoFontHas) {
  const std::string box = svg_to_png(drawing_of("\U0010FFFD"), 2);
  EXPECT_NE(box, svg_to_png(drawing_of(""), 2));
  EXPECT_EQ(box, svg_to_png(drawing_of("\U0010FFFC"), 2));
}

TEST(SvgToPng, GivesEqualBytes) {
  for (const char* text : {"Step 1", "逐步", "مرحبا", "👍🏽", "🚀 🇩🇪"}) {
    EXPECT_EQ(svg_to_png(drawing_of(text), 2), svg_to_png(drawing_of(text), 2));
  }
}

}  // namespace
}  // namespace fi
