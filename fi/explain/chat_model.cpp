#include "fi/explain/chat_model.h"

#include "fi/core/error.h"
#include "fi/core/json.h"
#include "fi/hub/retry.h"

namespace fi {
namespace {

constexpr int kMaxRetries = 3;
constexpr size_t kMaxAnswerBytes = size_t{1} << 20;
constexpr int kMaxNewTokens = 1024;

std::string content_of(const std::string& body, const std::string& where) {
  const Json document = parse_json(body, "explainer", where, {.depth = 16, .values = 100'000});
  const auto path = Json::json_pointer("/choices/0/message/content");
  const bool has_content = document.is_object() && document.contains(path) && document.at(path).is_string();
  check(has_content, ErrorCode::kInvalid,
        "[explainer] {} answered without choices[0].message.content; does it speak the OpenAI "
        "chat protocol?",
        where);
  return document.at(path).get<std::string>();
}

}  // namespace

std::string EndpointModel::answer(const std::string& instruction, const std::string& question) {
  const Json body = {{"model", endpoint_.model},
                     {"temperature", 0},
                     {"max_tokens", kMaxNewTokens},
                     {"messages", {{{"role", "system"}, {"content", instruction}}, {{"role", "user"}, {"content", question}}}}};
  HttpRequest request{.url = endpoint_.url + "/chat/completions",
                      .body = body.dump(-1, ' ', false, Json::error_handler_t::replace),
                      .headers = {"Content-Type: application/json", "User-Agent: feature-interpreter"},
                      .stall_timeout_s = endpoint_.timeout_s,
                      .total_timeout_s = endpoint_.timeout_s};
  if (!endpoint_.key.empty()) request.headers.push_back("Authorization: Bearer " + endpoint_.key);
  for (int retry = 0;; ++retry) {
    std::string text;
    const HttpResponse response = client_.exchange(request, [&](const HttpResponse&, std::string_view bytes) {
      check(text.size() + bytes.size() <= kMaxAnswerBytes, ErrorCode::kInvalid, "[explainer] {} answers with more than {} bytes.",
            endpoint_.url, kMaxAnswerBytes);
      text += bytes;
    });
    if (response.failure.empty() && response.status == 200) return content_of(text, endpoint_.url);
    if (retry == kMaxRetries || !is_worth_a_retry(response)) reject(response);
    const double pause = pause_before_retry(retry, response, endpoint_.first_backoff_s);
    progress_.note(fmt::format("[explainer] {}; trying again in {:.1f} s", what_happened(response), pause));
    wait_seconds(pause);
  }
}

void EndpointModel::reject(const HttpResponse& response) const {
  if (response.failure.empty() && (response.status == 401 || response.status == 403))
    fail(ErrorCode::kAuth, "[explainer] {} answered {}; set FI_EXPLAINER_KEY to a key that it accepts.", endpoint_.url,
         response.status);
  if (response.failure.empty() && response.status == 404)
    fail(ErrorCode::kNotFound, "[explainer] {} has no model '{}' or no chat protocol; check --explainer and --explainer-model.",
         endpoint_.url, endpoint_.model);
  fail(ErrorCode::kNetwork, "[explainer] {} gave no answer: {}; is the server running?", endpoint_.url, what_happened(response));
}

}  // namespace fi
