#include "fi/capture/text_file.h"

#include <gtest/gtest.h>

#include "fi/core/error.h"
#include "fi/io/atomic_file.h"
#include "fi/io/safetensors.h"
#include "tests/support/temporary_folder.h"

namespace fi {
namespace {

ErrorCode refusal(const TemporaryFolder& folder) {
  try {
    read_texts(folder.path());
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::kInternal;
}

TEST(TextFile, TextsComeBackWithTheirAnswers) {
  const TemporaryFolder folder;
  const std::vector<TracedText> texts = {{{1, 5, 9}, 2, "x"}, {{}, 0, "y"}, {{4}, 1, "x"}};
  write_texts(folder.path(), texts);
  const std::vector<TracedText> back = read_texts(folder.path());
  ASSERT_EQ(back.size(), 3U);
  for (size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(back[i].ids, texts[i].ids);
    EXPECT_EQ(back[i].answer_start, texts[i].answer_start);
  }
}

TracedText with_own_reading(const TokenIds& ids, const TokenIds& target, std::vector<int32_t> partners) {
  TracedText text{.ids = ids, .answer_start = 1};
  text.target = OwnReading{.ids = target, .answer_start = 2, .partners = std::move(partners)};
  return text;
}

TEST(TextFile, ReadingsOfTheTargetsOwnComeBack) {
  const TemporaryFolder folder;
  write_texts(folder.path(), {with_own_reading({1, 5}, {7, 8, 9}, {-1, 2}), with_own_reading({4}, {6, 3}, {1})});
  const std::vector<TracedText> back = read_texts(folder.path());
  ASSERT_EQ(back.size(), 2U);
  ASSERT_TRUE(back[0].target && back[1].target);
  EXPECT_EQ(back[0].target->ids, (TokenIds{7, 8, 9}));
  EXPECT_EQ(back[0].target->partners, (std::vector<int32_t>{-1, 2}));
  EXPECT_EQ(back[1].target->ids, (TokenIds{6, 3}));
  EXPECT_EQ(back[1].target->answer_start, 2);
  EXPECT_EQ(target_position(back[0], 1), 2);
  EXPECT_EQ(as_target_reads(back)[0].ids, back[0].target->ids);
}

TEST(TextFile, PartnersOutsideTheTargetsTextAreRefused) {
  const TemporaryFolder folder;
  for (const std::vector<int32_t>& partners : {std::vector<int32_t>{0, 3}, {-2, 0}, {0}, {0, 1, 2}}) {
    write_texts(folder.path(), {with_own_reading({1, 5}, {7, 8, 9}, partners)});
    EXPECT_EQ(refusal(folder), ErrorCode::kInvalid);
  }
}

TEST(TextFile, DamagedFilesAreRefused) {
  const TemporaryFolder folder;
  EXPECT_EQ(refusal(folder), ErrorCode::kNotFound);
  const std::vector<int32_t> ids = {1, 2, 3};
  const auto write = [&](const std::vector<int64_t>& starts, const std::vector<int64_t>& answers) {
    const auto entry = [](const char* name, DType dtype, const auto& values) {
      return TensorToWrite{name, dtype, {static_cast<int64_t>(values.size())}, std::as_bytes(std::span(values))};
    };
    write_safetensors(
        folder.path() / kTextsFile,
        {entry("ids", DType::kI32, ids), entry("starts", DType::kI64, starts), entry("answer_starts", DType::kI64, answers)}, {});
  };
  write({0, 2, 3}, {1, 0});
  EXPECT_EQ(read_texts(folder.path()).size(), 2U);
  for (const auto& [starts, answers] : std::vector<std::pair<std::vector<int64_t>, std::vector<int64_t>>>{{{0, 2}, {1, 0}},
                                                                                                          {{0, 2, 4}, {1, 0}},
                                                                                                          {{1, 2, 3}, {0, 0}},
                                                                                                          {{0, 7, 3}, {0, 0}},
                                                                                                          {{0, -1, 3}, {0, 0}},
                                                                                                          {{0, 2, 3}, {3, 0}},
                                                                                                          {{0, 2, 3}, {0, -1}},
                                                                                                          {{}, {}}}) {
    write(starts, answers);
    EXPECT_EQ(refusal(folder), ErrorCode::kInvalid);
  }
  write_file_atomically(folder.path() / kTextsFile, "no tensors");
  EXPECT_EQ(refusal(folder), ErrorCode::kInvalid);
}

}  // namespace
}  // namespace fi
