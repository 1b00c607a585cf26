#include "fi/core/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fi/core/error.h"

namespace fi {
namespace {

std::string message_of(std::string_view text) {
  try {
    parse_json(text, "test", "x.json");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalid);
    return error.what();
  }
  return "";
}

TEST(ParseJson, KeepsKeyOrder) { EXPECT_EQ(parse_json(R"({"b":1,"a":2})", "test", "x").dump(), R"({"b":1,"a":2})"); }

TEST(ParseJson, NamesLineAndColumn) { EXPECT_THAT(message_of("{\n  \"a\": }"), testing::HasSubstr("line 2, column 8")); }

TEST(ParseJson, RejectsDuplicateKeys) {
  EXPECT_THAT(message_of(R"({"a":1,"b":{"a":2},"a":3})"), testing::HasSubstr("'a' twice"));
}

TEST(ParseJson, RejectsDeepNesting) { EXPECT_THAT(message_of(std::string(100'000, '[')), testing::HasSubstr("nested deeper")); }

TEST(ParseJson, RejectsInvalidUtf8) { EXPECT_THAT(message_of("\"\xff\""), testing::HasSubstr("not valid JSON")); }

TEST(NearestName, FindsATypoButNothingFar) {
  EXPECT_EQ(nearest_name("bass-model", {"base-model", "target-model"}), "base-model");
  EXPECT_EQ(nearest_name("zzzz", {"base-model", "target-model"}), "");
}

}  // namespace
}  // namespace fi
