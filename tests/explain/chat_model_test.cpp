#include "fi/explain/chat_model.h"

#include <gtest/gtest.h>

#include <deque>

#include "fi/core/json.h"
#include "tests/support/failure.h"

namespace fi {
namespace {

struct Reply {
  int status = 200;
  std::string body;
  std::map<std::string, std::string> headers = {};
  std::string failure = {};
};

std::string completion(const std::string& content) {
  return Json({{"choices", {{{"message", {{"role", "assistant"}, {"content", content}}}}}}}).dump();
}

/// Plays scripted replies, the last one for ever.
class ScriptedClient final : public HttpClient {
 public:
  explicit ScriptedClient(std::deque<Reply> replies) : replies_(std::move(replies)) {}

  HttpResponse exchange(const HttpRequest& request, const OnBody& on_body) override {
    requests.push_back(request);
    const Reply reply = replies_.front();
    if (replies_.size() > 1) replies_.pop_front();
    const HttpResponse response{.status = reply.status, .headers = reply.headers, .failure = reply.failure};
    if (!reply.body.empty()) on_body(response, reply.body);
    return response;
  }

  std::vector<HttpRequest> requests;

 private:
  std::deque<Reply> replies_;
};

EndpointModel model_at(ScriptedClient& client, const std::string& key = "") {
  return {client, {.url = "http://localhost:1/v1", .model = "small", .key = key, .first_backoff_s = 0.001}, silent_progress()};
}

TEST(ChatModel, SpeaksTheChatProtocol) {
  ScriptedClient client({{.body = completion("hello")}});
  EXPECT_EQ(model_at(client, "secret").answer("Be brief.", "Say \"hi\"\n\xff"), "hello");
  const HttpRequest& request = client.requests.at(0);
  EXPECT_EQ(request.url, "http://localhost:1/v1/chat/completions");
  EXPECT_NE(std::ranges::find(request.headers, "Authorization: Bearer secret"), request.headers.end());
  EXPECT_GT(request.total_timeout_s, 0.0);
  const Json body = parse_json(request.body, "test", "request");
  EXPECT_EQ(body.at("model"), "small");
  EXPECT_EQ(body.at("temperature"), 0);
  EXPECT_EQ(body.at("messages").at(0), Json({{"role", "system"}, {"content", "Be brief."}}));
  EXPECT_EQ(body.at("messages").at(1), Json({{"role", "user"}, {"content", "Say \"hi\"\n\xEF\xBF\xBD"}}));
}

TEST(ChatModel, SendsNoKeyThatItDoesNotHave) {
  ScriptedClient client({{.body = completion("hello")}});
  model_at(client).answer("", "");
  for (const std::string& header : client.requests.at(0).headers) EXPECT_FALSE(header.starts_with("Authorization"));
}

TEST(ChatModel, TriesAgainWhereThatMayHelp) {
  ScriptedClient client({{.status = 429, .headers = {{"retry-after", "0"}}},
                         {.status = 0, .failure = "timed out"},
                         {.status = 503},
                         {.body = completion("late")}});
  EXPECT_EQ(model_at(client).answer("", ""), "late");
  EXPECT_EQ(client.requests.size(), 4U);
}

TEST(ChatModel, SaysWhatWentWrong) {
  const auto failing = [](Reply reply, ErrorCode code, const char* part) {
    ScriptedClient client({std::move(reply)});
    expect_failure([&] { model_at(client, "secret").answer("", ""); }, code, {"[explainer] http://localhost:1/v1", part});
    EXPECT_EQ(failure_of([&] { model_at(client, "secret").answer("", ""); }).message.find("secret"), std::string::npos);
    return client.requests.size() / 2;
  };
  EXPECT_EQ(failing({.status = 401}, ErrorCode::kAuth, "FI_EXPLAINER_KEY"), 1U);
  EXPECT_EQ(failing({.status = 404}, ErrorCode::kNotFound, "'small'"), 1U);
  EXPECT_EQ(failing({.status = 400}, ErrorCode::kNetwork, "status 400"), 1U);
  EXPECT_EQ(failing({.status = 429}, ErrorCode::kNetwork, "status 429"), 4U);
  EXPECT_EQ(failing({.status = 0, .failure = "timed out"}, ErrorCode::kNetwork, "timed out"), 4U);
}

TEST(ChatModel, RefusesAnswersThatAreNone) {
  const std::string deep(100'000, '[');
  for (const std::string& body :
       {std::string("<html>"), std::string("{}"), std::string(R"({"choices": []})"), std::string(R"({"choices": 7})"), deep,
        std::string(R"({"choices": [{"message": {"content": 5}}]})"), std::string("\xff\xfe")}) {
    ScriptedClient client({{.body = body}});
    EXPECT_EQ(failure_of([&] { model_at(client).answer("", ""); }).code, ErrorCode::kInvalid) << body.substr(0, 60);
  }
  ScriptedClient client({{.body = completion(std::string(2'000'000, 'x'))}});
  expect_failure([&] { model_at(client).answer("", ""); }, ErrorCode::kInvalid, {"more than 1048576 bytes"});
}

}  // namespace
}  // namespace fi
