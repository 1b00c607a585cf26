#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fi {

struct HttpRequest {
  std::string url;
  bool headers_only = false;         // HEAD instead of GET
  std::string body;                  // not empty: sent with POST
  std::vector<std::string> headers;  // "Name: value"
  double connect_timeout_s = 10.0;
  double stall_timeout_s = 10.0;  // without a byte
  double total_timeout_s = 0.0;   // for the whole exchange; 0: as long as bytes come
};

struct HttpResponse {
  int status = 0;                              // 0: there was no answer
  std::map<std::string, std::string> headers;  // names in lower case
  std::string failure;                         // why the exchange ended before its end; empty if it did not
  bool is_final = false;                       // trying again cannot help (a bad certificate, a malformed address)

  /// "" if absent.
  std::string header(const std::string& lower_case_name) const;
};

/// One exchange at a time. An interface, so that tests can script what a hub answers.
class HttpClient {
 public:
  /// Called with the status and headers of the response and the next bytes of its body. What it throws ends the exchange and
  /// passes through.
  using OnBody = std::function<void(const HttpResponse& response, std::string_view bytes)>;

  virtual ~HttpClient() = default;
  /// Redirects are answers like any other: they are not followed here. Network failures are returned, not thrown.
  virtual HttpResponse exchange(const HttpRequest& request, const OnBody& on_body) = 0;
};

/// The real one, on libcurl. Opens no socket before its first exchange.
std::unique_ptr<HttpClient> make_curl_client();

}  // namespace fi
