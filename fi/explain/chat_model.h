#pragma once

#include <string>

#include "fi/core/progress.h"
#include "fi/hub/http.h"

namespace fi {

/// A language model that is asked about features.
class ChatModel {
 public:
  virtual ~ChatModel() = default;
  virtual std::string name() const = 0;
  /// Its answer to `question`, with `instruction` as its system prompt. Throws kAuth, kNetwork, kNotFound or kInvalid.
  virtual std::string answer(const std::string& instruction, const std::string& question) = 0;
};

/// Where a chat model is served.
struct ChatEndpoint {
  std::string url;               // up to its version, such as http://localhost:11434/v1
  std::string model;             // as the server calls it
  std::string key;               // sent to this endpoint alone, never logged; "" for none
  double timeout_s = 120.0;      // of one answer
  double first_backoff_s = 1.0;  // doubles with every retry
};

/// A server that speaks the OpenAI chat protocol (POST url/chat/completions). Asks at temperature 0, tries three times more where
/// that may help, and reads at most 1 MB of an answer.
class EndpointModel final : public ChatModel {
 public:
  EndpointModel(HttpClient& client, ChatEndpoint endpoint, ProgressSink& progress)
      : client_(client), endpoint_(std::move(endpoint)), progress_(progress) {}

  std::string name() const override { return endpoint_.model; }
  std::string answer(const std::string& instruction, const std::string& question) override;

 private:
  [[noreturn]] void reject(const HttpResponse& response) const;

  HttpClient& client_;
  ChatEndpoint endpoint_;
  ProgressSink& progress_;
};

}  // namespace fi
