#include "fi/explain/described_name.h"

#include <gtest/gtest.h>

#include <functional>

#include "fi/core/error.h"
#include "fi/core/json.h"

namespace fi {
namespace {

/// Answers the questions as a test says; detection and fuzzing alike.
class ScriptedModel final : public ChatModel {
 public:
  using Answer = std::function<std::string(const Json& question)>;
  ScriptedModel(Answer propose, Answer detect) : propose_(std::move(propose)), detect_(std::move(detect)) {}

  std::string name() const override { return "scripted"; }
  std::string answer(const std::string&, const std::string& text) override {
    ++num_asked;
    const Json question = parse_json(text, "test", "question");
    return question.contains("active") ? propose_(question) : detect_(question);
  }

  int num_asked = 0;

 private:
  Answer propose_, detect_;
};

// Fires on texts about tea; a third of the others are of the same category.
std::vector<ShownContext> contexts(int first) {
  std::vector<ShownContext> all;
  for (int i = first; i < first + 30; ++i) {
    const bool fires = i % 3 == 0;
    const std::string text = fmt::format("{} number {}", fires ? "a cup of tea" : "an old map", i);
    all.push_back({.category = i % 2 == 0 ? "drinks" : "travel",
                   .plain = text,
                   .marked = fires ? "a cup of «tea»" : text,
                   .mismarked = fires ? "a «cup» of tea" : "",
                   .value = fires ? 1.0 : 0.01 * (i % 30)});
  }
  return all;
}

std::string tea(const Json&) { return R"({"name": "a cup of tea"})"; }

std::string texts_with(const Json& question, const std::string& word) {
  Json matches = Json::array();
  for (const auto& [number, text] : question.at("texts").items()) {
    if (text.get<std::string>().find(word) != std::string::npos) matches.push_back(std::stoi(number));
  }
  return "Sure!\n```json\n" + Json({{"matches", matches}}).dump() + "\n```";
}

std::optional<DescribedName> explained(ScriptedModel& model) {
  return Explainer(model, 10, silent_progress()).explain(contexts(0), contexts(90), 1);
}

TEST(Explainer, ARightDescriptionIsAName) {
  ScriptedModel model(
      [](const Json& question) {
        EXPECT_EQ(question.at("active").size(), 10U);
        for (const Json& text : question.at("active")) EXPECT_EQ(text, "a cup of «tea»");
        return tea({});
      },
      [](const Json& question) {
        EXPECT_EQ(question.at("description"), "a cup of tea");
        const bool has_marks = question.dump().find("«") != std::string::npos;
        return texts_with(question, has_marks ? "«tea»" : "tea");
      });
  const auto described = explained(model);
  ASSERT_TRUE(described && described->name);
  EXPECT_EQ(model.num_asked, 3);
  ASSERT_TRUE(described->name->places);
  EXPECT_EQ(described->name->places->num_active, 5);
  EXPECT_EQ(described->name->places->fit_active, 5);
  EXPECT_EQ(described->name->places->num_quiet, 5);
  EXPECT_EQ(described->name->places->fit_quiet, 0);
  EXPECT_EQ(described->name->words, "a cup of tea");
  EXPECT_DOUBLE_EQ(described->name->score, 1.0);
  EXPECT_EQ(described->name->num_inside, 10);
  EXPECT_EQ(described->name->num_outside, 10);
  EXPECT_LT(described->name->shuffled, 0.8);
  EXPECT_TRUE(passes_bar(*described->name));
}

TEST(Explainer, ANameOfWholeTextsFitsEveryPlaceAlike) {
  ScriptedModel model(tea, [](const Json& question) { return texts_with(question, "cup"); });
  const auto described = explained(model);
  ASSERT_TRUE(described && described->name && described->name->places);
  EXPECT_DOUBLE_EQ(described->name->score, 1.0);
  EXPECT_EQ(described->name->places->fit_active, 5);
  EXPECT_EQ(described->name->places->fit_quiet, 5);
  EXPECT_DOUBLE_EQ(described->name->places->score(), 0.5);
}

TEST(Explainer, ANameStaysWhereItsPlacesCannotBeTested) {
  ScriptedModel model(tea, [](const Json& question) {
    return question.dump().find("«") == std::string::npos ? texts_with(question, "tea") : "I cannot say.";
  });
  const auto described = explained(model);
  ASSERT_TRUE(described && described->name);
  EXPECT_TRUE(passes_bar(*described->name));
  EXPECT_FALSE(described->name->places);
  EXPECT_NE(described->failure.find("without a JSON object"), std::string::npos);
}

TEST(Explainer, AWrongDescriptionStaysBelowTheBar) {
  for (const char* word : {"map", "number", "nothing"}) {
    ScriptedModel model(tea, [&](const Json& question) { return texts_with(question, word); });
    const auto described = explained(model);
    ASSERT_TRUE(described && described->name) << word;
    EXPECT_LE(described->name->score, 0.5) << word;
    EXPECT_FALSE(passes_bar(*described->name)) << word;
    EXPECT_FALSE(described->name->places) << word;
  }
}

TEST(Explainer, HalfOfTheQuietTextsAreOfTheSameKind) {
  std::vector<ShownContext> texts;
  for (int i = 0; i < 60; ++i) {
    const std::string kind = i < 20 || i >= 50 ? "drinks" : "travel";
    texts.push_back({.category = kind, .plain = kind, .marked = kind, .value = i < 20 ? 1.0 : 0.001 * i});
  }
  for (int i = 50; i < 60; ++i) texts[static_cast<size_t>(i)].value = 0.0;
  ScriptedModel model(
      [](const Json& question) {
        const Json& quiet = question.at("inactive");
        EXPECT_EQ(std::count(quiet.begin(), quiet.end(), "drinks"), 5);
        EXPECT_EQ(std::count(quiet.begin(), quiet.end(), "travel"), 5);
        return tea({});
      },
      [](const Json&) { return R"({"matches": []})"; });
  Explainer(model, 10, silent_progress()).explain(texts, texts, 1);
  EXPECT_EQ(model.num_asked, 2);
}

TEST(Explainer, QuietTextsMostLikeTheFiringOnesAreShown) {
  std::vector<ShownContext> texts;
  for (int i = 0; i < 90; ++i) {
    const bool fires = i < 30, is_alike = i % 3 == 0;
    const std::string text = fires ? "a Cup of tea" : is_alike ? "a cup of sand" : "old maps everywhere";
    texts.push_back({.category = "drinks", .plain = text, .marked = text, .value = fires ? 1.0 : 0.0});
  }
  ScriptedModel model(
      [](const Json& question) {
        const Json& quiet = question.at("inactive");
        EXPECT_EQ(std::count(quiet.begin(), quiet.end(), "a cup of sand"), 10);
        return tea({});
      },
      [](const Json&) { return R"({"matches": []})"; });
  Explainer(model, 10, silent_progress()).explain(texts, texts, 1);
}

TEST(Explainer, JunkNamesNothing) {
  const std::vector<std::string> junk = {"",
                                         "I cannot",
                                         "{",
                                         "}{",
                                         R"({"name": 5})",
                                         R"({"name": ""})",
                                         R"({"title": "tea"})",
                                         "[]",
                                         "{\"a\":",
                                         "\xff{\xfe}",
                                         R"({"name": ")" + std::string(5000, 'x') + "\"}"};
  for (const std::string& answer : junk) {
    ScriptedModel model([&](const Json&) { return answer; }, [](const Json& question) { return texts_with(question, "tea"); });
    const auto described = explained(model);
    ASSERT_TRUE(described) << answer.substr(0, 40);
    EXPECT_FALSE(described->name) << answer.substr(0, 40);
    EXPECT_NE(described->failure.find("scripted"), std::string::npos) << answer.substr(0, 40);
  }
  for (const char* answer : {R"({"matches": "all"})", R"({"matches": [0]})", R"({"matches": [21]})", R"({"matches": [1.5]})",
                             R"({"matches": [-1]})", R"({"matches": [99999999999999999999]})", R"({"fits": [1]})"}) {
    ScriptedModel model(tea, [&](const Json&) { return answer; });
    EXPECT_FALSE(explained(model)->name) << answer;
  }
}

TEST(Explainer, ANameIsOneLine) {
  ScriptedModel model([](const Json&) { return Json({{"name", "\x1b[31m tea\n\n and\tcake. "}}).dump(); },
                      [](const Json& question) { return texts_with(question, "tea"); });
  EXPECT_EQ(explained(model)->name->words, "[31m tea and cake");
}

TEST(Explainer, AfterThreeFailuresItIsNotAskedAgain) {
  ScriptedModel model([](const Json&) -> std::string { fail(ErrorCode::kNetwork, "[explainer] down."); }, tea);
  Explainer explainer(model, 10, silent_progress());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(explainer.explain(contexts(0), contexts(90), 1)->failure, "[explainer] down.");
  EXPECT_FALSE(explainer.explain(contexts(0), contexts(90), 1));
  EXPECT_EQ(model.num_asked, 3);
}

TEST(Explainer, AsksAboutNoMoreFeaturesThanItMay) {
  ScriptedModel model(tea, [](const Json& question) { return texts_with(question, "tea"); });
  Explainer explainer(model, 1, silent_progress());
  EXPECT_TRUE(explainer.explain(contexts(0), contexts(90), 1)->name);
  EXPECT_FALSE(explainer.explain(contexts(0), contexts(90), 1));
}

TEST(Explainer, FewTextsAreNoGround) {
  ScriptedModel model(tea, tea);
  Explainer explainer(model, 10, silent_progress());
  std::vector<ShownContext> few = contexts(0);
  few.resize(6);
  const auto described = explainer.explain(few, contexts(90), 1);
  ASSERT_TRUE(described);
  EXPECT_FALSE(described->name);
  EXPECT_TRUE(described->failure.empty());
  EXPECT_EQ(model.num_asked, 0);
}

}  // namespace
}  // namespace fi
