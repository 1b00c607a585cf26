#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "fi/behaviour/detector.h"
#include "fi/core/error.h"

namespace fi {
namespace {

using ::testing::HasSubstr;

Json concept_cases() {
  std::ifstream file(FI_TEST_FOLDER "/concept_cases.json");
  std::stringstream text;
  text << file.rdbuf();
  return parse_json(text.str(), "test", "concept_cases.json");
}

double measure_case(const Detector& detector, const Json& text) {
  if (text.is_string()) return detector.measure("Tell me something.", text.get<std::string>());
  return detector.measure(text.at("prompt").get<std::string>(), text.at("answer").get<std::string>());
}

TEST(Library, EveryConceptHasPositiveAndNegativeCases) {
  const Json cases = concept_cases();
  for (const auto& detector : builtin_detectors()) {
    const std::string& id = detector->words().id;
    ASSERT_TRUE(cases.contains(id)) << "no cases for " << id;
    EXPECT_FALSE(cases.at(id).at("positive").empty()) << id;
    EXPECT_FALSE(cases.at(id).at("negative").empty()) << id;
  }
  EXPECT_EQ(cases.size(), builtin_detectors().size());
}

TEST(Library, ConceptsTellTheirCasesApart) {
  const Json cases = concept_cases();
  for (const auto& detector : builtin_detectors()) {
    const Json& of_concept = cases.at(detector->words().id);
    for (const Json& positive : of_concept.at("positive")) {
      for (const Json& negative : of_concept.at("negative")) {
        EXPECT_GT(measure_case(*detector, positive), measure_case(*detector, negative))
            << detector->words().id << "\n+ " << positive << "\n- " << negative;
      }
    }
  }
}

TEST(Library, IsLargeAndWorded) {
  std::set<std::string> languages;
  int num_scalars = 0;
  for (const auto& detector : builtin_detectors()) {
    const Detector::Words& words = detector->words();
    if (words.id.starts_with("language_")) languages.insert(words.id);
    num_scalars += words.is_scalar ? 1 : 0;
    EXPECT_TRUE(words.shows.find(' ') != std::string::npos || words.shows.ends_with("s")) << words.id;
    EXPECT_TRUE(words.definition.ends_with('.')) << words.id;
    EXPECT_FALSE(words.capability.ends_with('.')) << words.id;
  }
  EXPECT_GE(builtin_detectors().size(), 120U);
  EXPECT_GE(languages.size(), 15U);
  EXPECT_GE(num_scalars, 15);
}

TEST(Library, SurvivesHostileAnswers) {
  std::string brackets(100'000, '{');
  const std::vector<std::string> answers = {"",
                                            "\xFF\xFE\x80",
                                            std::string(3, '\0'),
                                            brackets,
                                            std::string(50'000, '*'),
                                            "```",
                                            "| | |\n|-|-|\n",
                                            "\"\\",
                                            std::string(50'000, '\n'),
                                            "**",
                                            "(",
                                            "{\"a\":"};
  for (const auto& detector : builtin_detectors()) {
    for (const std::string& answer : answers) {
      EXPECT_GE(detector->measure(answer, answer), 0.0) << detector->words().id;
    }
  }
}

std::string error_of(const std::string& text) {
  try {
    detectors_from_json(parse_json(text, "test", "mine.json"), "mine.json");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    return error.what();
  }
  return "";
}

std::string entry_with(const std::string& fields) {
  return R"({"concepts": [{"id": "mine", "capability": "a", "shows": "b", "group": "c", "definition": "d.")" +
         (fields.empty() ? "" : ", " + fields) + "}]}";
}

TEST(UserLibrary, ReadsEveryMatcher) {
  EXPECT_EQ(error_of(entry_with(R"("regex": ["a+", "b"], "min_count": 2, "case_sensitive": true, "scope": "end")")), "");
  EXPECT_EQ(error_of(entry_with(R"("lexicon": ["my phrase"], "min_hits": 2, "per_100_words": 1.5, "scope": "prose")")), "");
  EXPECT_EQ(error_of(entry_with(R"("structure": "json")")), "");
  EXPECT_EQ(error_of(entry_with(R"("language": "isl")")), "");
  EXPECT_EQ(error_of(entry_with(R"("scalar": "num_words", "unit": "words")")), "");
}

TEST(UserLibrary, ErrorsNameEntryFieldAndNearestName) {
  EXPECT_THAT(error_of(entry_with(R"("regexp": "a")")),
              AllOf(HasSubstr("mine.json, concept 'mine'"), HasSubstr("nearest is 'regex'")));
  EXPECT_THAT(error_of(entry_with(R"("structure": "jsn")")), HasSubstr("nearest is 'json'"));
  EXPECT_THAT(error_of(entry_with(R"("scalar": "num_word")")), HasSubstr("nearest is 'num_words'"));
  EXPECT_THAT(error_of(entry_with(R"("regex": "a(")")), HasSubstr("field 'regex'"));
  EXPECT_THAT(error_of(entry_with(R"("regex": "a*")")), HasSubstr("empty text"));
  EXPECT_THAT(error_of(entry_with(R"("regex": "a", "min_hits": 2)")), HasSubstr("'min_hits' is unknown"));
  EXPECT_THAT(error_of(entry_with(R"("regex": "a", "scope": "begin")")), HasSubstr("expected answer, prose, start or end"));
  EXPECT_THAT(error_of(entry_with(R"("regex": "a", "min_count": 0)")), HasSubstr("whole number"));
  EXPECT_THAT(error_of(entry_with(R"("regex": "a", "lexicon": ["b"])")), HasSubstr("got 2"));
  EXPECT_THAT(error_of(entry_with("")), HasSubstr("got 0"));
  EXPECT_THAT(error_of(entry_with(R"("lexicon": ["..."])")), HasSubstr("holds no word"));
  EXPECT_THAT(error_of(entry_with(R"("lexicon": [])")), HasSubstr("list of strings"));
  EXPECT_THAT(error_of(entry_with(R"("language": "french")")), HasSubstr("ISO 639-3"));
  EXPECT_THAT(error_of(R"({"concepts": [{"id": "x", "regex": "a"}]})"), HasSubstr("field 'capability'"));
  EXPECT_THAT(error_of(R"({"concepts": [5]})"), HasSubstr("no object"));
  EXPECT_THAT(error_of(R"({"concept": []})"), HasSubstr("nearest is 'concepts'"));
  EXPECT_THAT(error_of("[]"), HasSubstr("expected an object"));
  EXPECT_THAT(error_of(R"({"concepts": 5})"), HasSubstr("no list"));
}

TEST(UserLibrary, RefusesDuplicates) {
  const std::string entry = R"({"id": "x", "capability": "a", "shows": "b", "group": "c", "definition": "d", "regex": "a"})";
  EXPECT_THAT(error_of("{\"concepts\": [" + entry + ", " + entry + "]}"), HasSubstr("comes twice"));
}

TEST(PhraseDetector, MatchesWordsInAnyCase) {
  const auto phrase = phrase_detector("Brand X");
  EXPECT_EQ(phrase->measure("", "I like BRAND x!"), 1.0);
  EXPECT_EQ(phrase->measure("", "I like brand xylophones."), 0.0);
  EXPECT_EQ(phrase_detector("bien sûr")->measure("", "Bien Sûr, monsieur"), 1.0);
  EXPECT_EQ(phrase_detector("i can't")->measure("", "I can’t."), 1.0);
  EXPECT_EQ(phrase->words().group, "phrase");
  EXPECT_EQ(phrase->words().id, "phrase:Brand X");
}

TEST(PhraseDetector, HashStandsForAnyNumber) {
  EXPECT_EQ(phrase_detector("step #")->measure("", "Step 12: go"), 1.0);
  EXPECT_EQ(phrase_detector("step #")->measure("", "Step one: go"), 0.0);
  EXPECT_EQ(phrase_detector("step 1")->measure("", "Step 12: go"), 0.0);
  EXPECT_EQ(phrase_detector("...")->measure("", "..."), 0.0);
}

}  // namespace
}  // namespace fi
