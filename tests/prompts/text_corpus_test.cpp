#include "fi/prompts/text_corpus.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "fi/core/hash.h"
#include "fi/io/atomic_file.h"
#include "fi/io/parquet.h"
#include "tests/support/failure.h"
#include "tests/support/temporary_folder.h"

namespace fi {
namespace {

using testing::ElementsAre;

class TextCorpusFile : public testing::Test {
 protected:
  std::filesystem::path write(const std::string& name, std::string_view bytes) const {
    write_file_atomically(folder_.path() / name, bytes);
    return folder_.path() / name;
  }

  static std::vector<CorpusText> all(const std::filesystem::path& path, const std::string& column = "text") {
    std::vector<CorpusText> texts;
    for_each_text(path, column, [&](CorpusText text) { texts.push_back(std::move(text)); });
    return texts;
  }

  static std::vector<std::string> plain(const std::filesystem::path& path, const std::string& column = "text") {
    std::vector<std::string> texts;
    for (const CorpusText& text : all(path, column)) texts.push_back(text.text);
    return texts;
  }

  void expect_refusal(const std::string& name, std::string_view bytes, std::initializer_list<std::string> parts,
                      const std::string& column = "text") const {
    const auto path = write(name, bytes);
    expect_failure([&] { all(path, column); }, ErrorCode::kInvalid, parts);
  }

  const TemporaryFolder folder_;
};

TEST_F(TextCorpusFile, JsonLinesHaveAField) {
  const auto path =
      write("a.jsonl", "{\"text\":\"one\",\"n\":1}\n\n{\"text\":null}\n{\"text\":\" \"}\n{\"text\":\"two\\nlines\"}");
  EXPECT_THAT(plain(path), ElementsAre("one", "two\nlines"));
  EXPECT_EQ(all(path)[1].place, "line 5 of " + path.string());
  EXPECT_THAT(plain(write("b.ndjson", "{\"body\":\"x\"}\n"), "body"), ElementsAre("x"));
}

TEST_F(TextCorpusFile, ChatsAreTakenWhereThereIsNoText) {
  const auto path = write("a.jsonl",
                          "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"},{\"role\":\"assistant\",\"content\":\"Ho\"}]}\n"
                          "{\"text\":\"plain\",\"messages\":[]}\n");
  const auto texts = all(path);
  ASSERT_EQ(texts.size(), 2U);
  ASSERT_EQ(texts[0].messages.size(), 2U);
  EXPECT_EQ(texts[0].messages[1].role, "assistant");
  EXPECT_EQ(texts[0].messages[1].content, "Ho");
  EXPECT_EQ(texts[1].text, "plain");
}

TEST_F(TextCorpusFile, ParagraphsArePartedByEmptyLines) {
  const auto path = write("a.txt", "\n\none\nstill one\r\n \t\ntwo\n\n\n");
  EXPECT_THAT(plain(path), ElementsAre("one\nstill one", "two"));
  EXPECT_EQ(all(path)[1].place, "line 6 of " + path.string());
  EXPECT_THAT(plain(write("lines.txt", "\none\ntwo\nthree")), ElementsAre("one", "two", "three"));
}

TEST_F(TextCorpusFile, ParquetHasAColumn) {
  const std::vector<TableColumn> table = {{"n", TableColumn::Integers{1, 2, 3}},
                                          {"text", TableColumn::Texts{"one", std::nullopt, "three"}}};
  const auto path = write("a.parquet", parquet_bytes(table));
  EXPECT_THAT(plain(path), ElementsAre("one", "three"));
  EXPECT_EQ(all(path)[1].place, "row 3 of " + path.string());
}

TEST_F(TextCorpusFile, LongTextsEndAtACharacter) {
  std::string text(32 * 1024 - 1, 'a');
  const auto path = write("a.txt", text + "ü and more");
  EXPECT_EQ(plain(path).front(), text);
}

TEST_F(TextCorpusFile, BadLinesAreNamed) {
  expect_refusal("a.jsonl", "{\"text\":\"one\"}\n{\"text\":", {"line 2 of ", "a.jsonl"});
  expect_refusal("a.jsonl", "[1]\n", {"line 1 of ", "is array, expected an object"});
  expect_refusal("a.jsonl", "{\"text\":\"one\"}\n{\"txt\":\"two\",\"n\":1}\n",
                 {"line 2 of ", "has no 'text', only txt, n", "--text-column"});
  expect_refusal("a.jsonl", "{\"text\":\"one\"}\n", {"line 1 of ", "has no 'messages'"}, "messages");
  expect_refusal("a.jsonl", "{\"text\":7}\n", {"line 1 of ", "is number, expected a text or a list of messages"});
  expect_refusal("a.jsonl", "{\"text\":[\"Hi\"]}\n", {"line 1 of ", "message 1 has no text 'role'"});
  expect_refusal("a.jsonl", "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"user\",\"content\":null}]}\n",
                 {"line 1 of ", "message 2 has no text 'content'"});
  expect_refusal("a.jsonl", "{\"text\":\"\xff\"}\n", {"line 1 of "});
  expect_refusal("a.jsonl", std::string(100'000, '['), {"line 1 of "});
}

TEST_F(TextCorpusFile, BytesThatAreNoTextAreNamed) {
  for (const char* bad : {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80", "\xf0\x80\x80\x80"})
    expect_refusal("a.txt", std::string("fine\n") + bad + "\n", {"line 2 of ", "a.txt", "not UTF-8"});
  EXPECT_THAT(plain(write("b.txt", "\u00e9\u20ac\U0001F600\U0010FFFF")), ElementsAre("\u00e9\u20ac\U0001F600\U0010FFFF"));
}

TEST_F(TextCorpusFile, BadParquetIsNamed) {
  const std::vector<TableColumn> numbers = {{"text", TableColumn::Integers{7}}};
  expect_refusal("n.parquet", parquet_bytes(numbers), {"row 1 of ", "n.parquet", "is number"});
  const std::vector<TableColumn> table = {{"body", TableColumn::Texts{"one"}}};
  const std::string whole = parquet_bytes(table);
  expect_refusal("c.parquet", whole, {"c.parquet", "no column 'text' or 'messages', only body"});
  expect_refusal("t.parquet", whole.substr(0, whole.size() / 2), {"t.parquet"}, "body");
  expect_refusal("j.parquet", "{\"text\":\"one\"}\n", {"j.parquet"});
  expect_refusal("e.parquet", "", {"e.parquet"});
}

TEST_F(TextCorpusFile, NoFileAndNoTextAreRefused) {
  expect_failure([&] { all(folder_.path() / "gone.txt"); }, ErrorCode::kNotFound, {"gone.txt"});
  expect_failure([&] { all(folder_.path()); }, ErrorCode::kNotFound, {"is not a file"});
  for (const char* name : {"e.txt", "e.jsonl"}) {
    const auto path = write(name, "\n \n");
    expect_failure([&] { sample_texts(path, {.min_bytes = 10}); }, ErrorCode::kInvalid, {name, "holds no text"});
  }
  const auto path = write("none.txt", "");
  expect_failure([&] { sample_texts(path, {.min_bytes = 10}); }, ErrorCode::kInvalid, {"none.txt", "holds no text"});
}

TEST_F(TextCorpusFile, ASampleHoldsAsMuchAsAskedForAndIsUniform) {
  std::string lines;
  for (int i = 100; i < 200; ++i) lines += fmt::format("{}\n", i);
  const auto path = write("a.txt", lines);
  std::map<std::string, int> counts;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    const TextCorpus corpus = sample_texts(path, {.min_bytes = 29, .seed = seed});
    ASSERT_EQ(corpus.texts.size(), 10U);  // of three bytes each
    for (const CorpusText& text : corpus.texts) ++counts[text.text];
  }
  EXPECT_EQ(counts.size(), 100U);  // 40 are expected of each, with a standard deviation of 6
  for (const auto& [text, count] : counts) EXPECT_TRUE(count > 10 && count < 70) << text << ' ' << count;
}

TEST_F(TextCorpusFile, TheSameSeedGivesTheSameSample) {
  const auto path = write("a.txt", "one\ntwo\nthree\nfour\nfive\nsix");
  const auto texts = [&](uint64_t seed) {
    std::vector<std::string> found;
    for (const CorpusText& text : sample_texts(path, {.min_bytes = 1000, .seed = seed}).texts) found.push_back(text.text);
    return found;
  };
  EXPECT_EQ(texts(1), texts(1));
  EXPECT_NE(texts(1), texts(2));
  EXPECT_EQ(texts(1).size(), 6U);
  const TextCorpus corpus = sample_texts(path, {.min_bytes = 1});
  EXPECT_EQ(corpus.num_texts, 6);
  EXPECT_EQ(corpus.sha256, sha256_of_file(path));
}

}  // namespace
}  // namespace fi
