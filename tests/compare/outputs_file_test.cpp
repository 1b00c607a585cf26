#include "fi/compare/outputs_file.h"

#include <gtest/gtest.h>

#include "tests/support/failure.h"
#include "tests/support/temporary_folder.h"

namespace fi {
namespace {

constexpr const char* kGood = R"({"prompt": "Why?", "base_output": "So.", "target_output": "Hmm."})";

class OutputsFile : public testing::Test {
 protected:
  std::vector<AnswerPair> read(const std::string& text) const { return read_outputs(folder_.write("pairs.jsonl", text)); }
  void expect_bad(const std::string& line, ErrorCode code, std::initializer_list<std::string> parts) const {
    expect_failure([&] { read(std::string(kGood) + "\n\n" + line + "\n"); }, code, parts);
  }

  TemporaryFolder folder_;
};

TEST_F(OutputsFile, TakesEveryPairAndLeavesOtherFieldsAlone) {
  const auto pairs = read(std::string(kGood) + "\r\n\n" +
                          R"({"id": 7, "category": "sums", "prompt": "1 + 1?", "base_output": "", "target_output": "2"})" + "\n" +
                          R"({"category": "sums", "prompt": "1 + 1?", "base_output": "3", "target_output": "2"})" + "\n" +
                          R"({"category": null, "prompt": "Who?", "base_output": "a", "target_output": "b"})");
  ASSERT_EQ(pairs.size(), 4U);  // the last line has no newline at its end
  EXPECT_EQ(pairs[0].category, pairs[3].category);
  EXPECT_EQ(pairs[0].prompt_index, 0);
  EXPECT_EQ(pairs[3].prompt_index, 1);
  EXPECT_EQ(pairs[1].category, "sums");
  EXPECT_EQ(pairs[1].prompt_index, pairs[2].prompt_index);  // two answers to one prompt
  EXPECT_EQ(pairs[1].base, "");
  EXPECT_EQ(pairs[2].split, Split::kConfirmation);
  EXPECT_TRUE(pairs[0].base_finished);
}

TEST_F(OutputsFile, TakesEndMarksOffAndTellsWhichAnswersHaveNone) {
  const auto pairs = read(R"({"prompt": "a", "base_output": "x<|endoftext|>\n", "target_output": "y"})"
                          "\n"
                          R"({"prompt": "b", "base_output": "a </s> b", "target_output": "z"})");
  EXPECT_EQ(pairs[0].base, "x");
  EXPECT_TRUE(pairs[0].base_finished);
  EXPECT_EQ(pairs[1].base, "a </s> b");
  EXPECT_FALSE(pairs[1].base_finished);
  EXPECT_TRUE(pairs[0].target_finished && pairs[1].target_finished);  // no mark in any of them says nothing
}

TEST_F(OutputsFile, NamesFileAndLineOfWhatIsWrong) {
  expect_bad("{\"prompt\": \"Why?\"", ErrorCode::kInvalid, {"line 3 of", "pairs.jsonl", "not valid JSON"});
  expect_bad("[1, 2]", ErrorCode::kInvalid, {"line 3 of", "array, expected an object"});
  expect_bad(R"({"prompt": "a", "base_output": "b", "target_ouput": "c"})", ErrorCode::kInvalid,
             {"line 3 of", "no 'target_output'", "is it 'target_ouput'?"});
  expect_bad(R"({"prompt": "a", "base_output": null, "target_output": "c"})", ErrorCode::kInvalid, {"no 'base_output'"});
  expect_bad(R"({"prompt": "a", "base_output": 3, "target_output": "c"})", ErrorCode::kInvalid,
             {"line 3 of", "'base_output' is number, expected a text"});
  expect_bad(R"({"prompt": "", "base_output": "b", "target_output": "c"})", ErrorCode::kInvalid,
             {"line 3 of", "'prompt' is empty"});
  expect_bad(R"({"prompt": "a", "base_output": "b", "target_output": "c", "category": ["x"]})", ErrorCode::kInvalid,
             {"'category' is array"});
  expect_bad("{\"prompt\": \"a\xff\", \"base_output\": \"b\", \"target_output\": \"c\"}", ErrorCode::kInvalid, {"line 3 of"});
  expect_bad(R"({"prompt": "a", "prompt": "b", "base_output": "b", "target_output": "c"})", ErrorCode::kInvalid,
             {"line 3 of", "twice"});
  expect_bad("{\"prompt\": " + std::string(5'000, '['), ErrorCode::kInvalid, {"line 3 of", "nested deeper"});
  expect_failure([&] { read("\n\n"); }, ErrorCode::kUsage, {"pairs.jsonl", "no pair"});
  expect_failure([&] { read_outputs(folder_.path() / "absent.jsonl"); }, ErrorCode::kNotFound, {"absent.jsonl"});
  expect_failure([&] { read_outputs(folder_.path()); }, ErrorCode::kNotFound, {"is not a file"});
}

}  // namespace
}  // namespace fi
