#include "fi/prompts/prompt_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "fi/core/error.h"

namespace fi {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

PromptSet read(const std::string& text) { return prompts_from_json(Json::parse(text), "mine.json"); }

template <typename Function>
std::string message_of(ErrorCode code, Function function) {
  try {
    function();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  return "nothing was thrown";
}

std::string usage_message(const std::string& text) {
  return message_of(ErrorCode::kUsage, [&] { read(text); });
}

class PromptFile : public testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove(path_); }
  void write(const std::string& text) { std::ofstream(path_, std::ios::binary) << text; }

  std::filesystem::path path_ =
      std::filesystem::path(testing::TempDir()) /
      ("prompts_" + std::to_string(::getpid()) + "_" + testing::UnitTest::GetInstance()->current_test_info()->name() + ".json");
};

TEST(PromptsFromJson, ReadsRightAnswersBesidePlainPrompts) {
  const PromptSet set = read(R"({"sums": [{"prompt": "2 + 2?", "answers": ["4", "four"]}, "Why?"], "talk": ["Hi"]})");
  EXPECT_THAT(set.category("sums").prompts, ElementsAre("2 + 2?", "Why?"));
  EXPECT_THAT(set.category("sums").right_answers_of(0), ElementsAre("4", "four"));
  EXPECT_TRUE(set.category("sums").right_answers_of(1).empty());
  EXPECT_TRUE(set.category("talk").right_answers.empty());
  EXPECT_TRUE(set.category("talk").right_answers_of(0).empty());
  EXPECT_NE(fingerprint(set), fingerprint(read(R"({"sums": [{"prompt": "2 + 2?", "answers": ["4"]}, "Why?"], "talk": ["Hi"]})")));
}

TEST(PromptsFromJson, ReadsCategoriesInTheirOrder) {
  const PromptSet set = read(R"({"tax_questions": ["What is VAT?", " Who pays? "], "birds": ["Name a bird."]})");
  ASSERT_EQ(set.categories.size(), 2u);
  EXPECT_EQ(set.categories[0].id, "tax_questions");
  EXPECT_EQ(set.categories[0].title, "tax questions");
  EXPECT_TRUE(set.categories[0].group.empty());
  EXPECT_THAT(set.categories[0].prompts, ElementsAre("What is VAT?", " Who pays? "));
  EXPECT_EQ(set.categories[1].id, "birds");
  EXPECT_EQ(set.num_prompts(), 3);
}

TEST(PromptsFromJson, AllowsOnePromptInTwoCategories) { EXPECT_EQ(read(R"({"a": ["x"], "b": ["x"]})").num_prompts(), 2); }

TEST(PromptsFromJson, RefusesAnythingButAnObject) {
  EXPECT_THAT(usage_message(R"(["What is VAT?"])"), AllOf(HasSubstr("mine.json"), HasSubstr("got array")));
  EXPECT_THAT(usage_message("null"), HasSubstr("got null"));
  EXPECT_THAT(usage_message("{}"), HasSubstr("no categories"));
}

TEST(PromptsFromJson, RefusesCategoriesOfAnotherShape) {
  EXPECT_THAT(usage_message(R"({"a": ["x"], "b": {"prompts": ["y"]}})"), AllOf(HasSubstr("'b'"), HasSubstr("got object")));
  EXPECT_THAT(usage_message(R"({"a": "x"})"), HasSubstr("got string"));
  EXPECT_THAT(usage_message(R"({"a": null})"), HasSubstr("got null"));
  EXPECT_THAT(usage_message(R"({"a": []})"), AllOf(HasSubstr("'a'"), HasSubstr("no prompts")));
  EXPECT_THAT(usage_message(R"({" ": ["x"]})"), HasSubstr("empty name"));
}

TEST(PromptsFromJson, NamesTheIndexOfABadPrompt) {
  EXPECT_THAT(usage_message(R"({"a": ["x", "y", 3]})"), AllOf(HasSubstr("prompt 2 of category 'a'"), HasSubstr("got number")));
  EXPECT_THAT(usage_message(R"({"a": ["x", ["y"]]})"), AllOf(HasSubstr("prompt 1"), HasSubstr("got array")));
  EXPECT_THAT(usage_message(R"({"a": ["x", ""]})"), AllOf(HasSubstr("prompt 1"), HasSubstr("is empty")));
  EXPECT_THAT(usage_message(R"({"a": [" \n\t"]})"), AllOf(HasSubstr("prompt 0"), HasSubstr("is empty")));
  EXPECT_THAT(usage_message(R"({"a": [{"answers": ["4"]}]})"), AllOf(HasSubstr("prompt 0"), HasSubstr("no key \"prompt\"")));
  EXPECT_THAT(usage_message(R"({"a": [{"prompt": "2 + 2?"}]})"), HasSubstr("no \"answers\""));
  EXPECT_THAT(usage_message(R"({"a": [{"prompt": "2 + 2?", "answers": "4"}]})"), HasSubstr("no \"answers\""));
  EXPECT_THAT(usage_message(R"({"a": [{"prompt": "2 + 2?", "answers": [4]}]})"), HasSubstr("got number"));
  EXPECT_THAT(usage_message(R"({"a": [{"prompt": "2 + 2?", "answer": ["4"]}]})"), HasSubstr("got key 'answer'"));
  EXPECT_THAT(usage_message(R"({"a": ["x", "y", "x"]})"), HasSubstr("prompts 0 and 2 of category 'a'"));
}

TEST(PromptsFromJson, RefusesMoreThanAHundredThousandPrompts) {
  Json half = Json::array();
  for (int i = 0; i < 50'000; ++i) half.push_back(std::to_string(i));
  Json document = {{"a", half}, {"b", half}};
  EXPECT_EQ(prompts_from_json(document, "x").num_prompts(), 100'000);
  document["c"] = {"one more"};
  EXPECT_THAT(message_of(ErrorCode::kUsage, [&] { prompts_from_json(document, "x"); }),
              AllOf(HasSubstr("100000"), HasSubstr("'c'")));
}

TEST_F(PromptFile, IsRead) {
  write(R"({"greetings": ["Olá!"]})");
  EXPECT_EQ(load_prompts(path_).category("greetings").prompts.at(0), "Olá!");
}

TEST_F(PromptFile, MustExist) {
  EXPECT_THAT(message_of(ErrorCode::kNotFound, [&] { load_prompts(path_); }), HasSubstr(path_.string()));
  EXPECT_THAT(message_of(ErrorCode::kUsage, [&] { load_prompts(testing::TempDir()); }), HasSubstr("got a folder"));
}

TEST_F(PromptFile, MustBeWellFormed) {
  const auto message = [&] { return message_of(ErrorCode::kInvalid, [&] { load_prompts(path_); }); };
  for (const char* text : {"", "{\"a\": [\"x\"", R"({"a": ["x"], "a": ["y"]})", "{\"a\": [\"\xff\"]}", "\x89PNG\r\n"}) {
    write(text);
    EXPECT_THAT(message(), HasSubstr(path_.string())) << text;
  }
  write(std::string(100'000, '['));
  EXPECT_THAT(message(), HasSubstr("nested deeper"));
}

TEST(PromptSet, SuggestsTheNearestCategory) {
  const PromptSet set = read(R"({"cooking": ["x"], "travel": ["y"]})");
  EXPECT_EQ(&set.category("travel"), &set.categories[1]);
  EXPECT_THAT(message_of(ErrorCode::kUsage, [&] { set.category("coking"); }),
              AllOf(HasSubstr("'coking', did you mean 'cooking'"), HasSubstr("cooking, travel")));
}

}  // namespace
}  // namespace fi
