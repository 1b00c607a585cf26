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
  EXPECT_THAT(message_of(R"({"a":1,"b":{"a":2},"a":3})"),
              testing::HasSubstr("'a' twice, at line 1, column 2 and line 1, column 20"));
  EXPECT_EQ(message_of(R"({"a":{"b":1},"b":[{"b":2},{"b":3}]})"), "");
}

TEST(ParseJson, TakesTimeLinearInTheNumberOfKeys) {
  const auto document = [](int num_keys) {
    std::string text = "{";
    for (int i = 0; i < num_keys; ++i) text += fmt::format("{}\"{}\":{}", i > 0 ? "," : "", i, i);
    return text + "}";
  };
  const Json parsed = parse_json(document(300'000), "test", "x");  // minutes, were every key compared with all before it
  EXPECT_EQ(parsed.size(), 300'000u);
  EXPECT_EQ(parsed.dump(), document(300'000));
}

TEST(ParseJson, BuildsWhatTheLibraryBuilds) {
  for (const char* text : {"null", "-1", "18446744073709551615", "0.5", "\"\\u00e9\\n\"", "[]", "{}", "[[],[{}],[1,[2,3]]]",
                           R"({"a":{"b":[true,false,null,{"c":"d"}],"e":{}},"f":-0.0})", " [ 1 , 2 ] \n"}) {
    EXPECT_EQ(parse_json(text, "test", "x"), Json::parse(text)) << text;
  }
}

TEST(ParseJson, StopsAtTheLimitOfValues) {
  const auto parse = [](const char* text) { return parse_json(text, "test", "x.json", {.depth = 2, .values = 4}); };
  EXPECT_EQ(parse("[1,2,3]").size(), 3u);
  EXPECT_THROW(parse("[1,2,3,4]"), Error);
  EXPECT_THROW(parse("[[[1]]]"), Error);
}

TEST(ParseJson, RejectsWhatFollowsTheDocument) {
  for (const char* text : {"", "{} {}", "{\"a\":1", "[1,]", "nul", "1e999", "{1:2}"}) {
    EXPECT_THAT(message_of(text), testing::HasSubstr("not valid JSON")) << text;
  }
}

TEST(ParseJson, RejectsDeepNesting) { EXPECT_THAT(message_of(std::string(100'000, '[')), testing::HasSubstr("nested deeper")); }

TEST(ParseJson, RejectsInvalidUtf8) { EXPECT_THAT(message_of("\"\xff\""), testing::HasSubstr("not valid JSON")); }

TEST(NearestName, FindsATypoButNothingFar) {
  EXPECT_EQ(nearest_name("bass-model", {"base-model", "target-model"}), "base-model");
  EXPECT_EQ(nearest_name("zzzz", {"base-model", "target-model"}), "");
}

}  // namespace
}  // namespace fi
