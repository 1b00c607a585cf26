#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <exception>

#include "fi/core/error.h"
#include "fi/core/progress.h"
#include "fi/hub/http.h"

namespace fi {
namespace {

struct Exchange {
  CURL* curl = nullptr;
  HttpResponse response;
  const HttpClient::OnBody* on_body = nullptr;
  std::exception_ptr thrown;  // must not cross the C code of the library
};

// Runs `body`; false after an exception, which is kept for the caller of the library.
template <typename Body>
bool kept(Exchange& exchange, Body&& body) {
  try {
    body();
    return true;
  } catch (...) {
    exchange.thrown = std::current_exception();
    return false;
  }
}

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

size_t take_header(char* data, size_t size, size_t count, void* user) {
  auto& response = static_cast<Exchange*>(user)->response;
  const std::string_view line(data, size * count);
  if (line.starts_with("HTTP/")) response.headers.clear();  // a new header block, after "100 Continue" or a proxy's answer
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return line.size();
  std::string name(line.substr(0, colon));
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  response.headers[name] = trimmed(line.substr(colon + 1));
  return line.size();
}

int status_of(CURL* curl) {
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  return static_cast<int>(status);
}

size_t take_body(char* data, size_t size, size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  exchange.response.status = status_of(exchange.curl);
  const bool taken = kept(exchange, [&] { (*exchange.on_body)(exchange.response, {data, size * count}); });
  return taken ? size * count : CURL_WRITEFUNC_ERROR;
}

int stop_when_interrupted(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return kept(*static_cast<Exchange*>(user), [] { check_interrupt(); }) ? 0 : 1;
}

// What no second try can change.
bool is_final(CURLcode code) {
  return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE || code == CURLE_URL_MALFORMAT ||
         code == CURLE_UNSUPPORTED_PROTOCOL;
}

const char* certificate_file() {
  for (const char* name : {"CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"}) {
    if (const char* path = std::getenv(name); path != nullptr && *path != '\0') return path;
  }
  return nullptr;
}

class CurlClient final : public HttpClient {
 public:
  CurlClient() : curl_(curl_easy_init()) { invariant(curl_ != nullptr, "[hub] libcurl cannot be initialised."); }
  ~CurlClient() override { curl_easy_cleanup(curl_); }
  CurlClient(const CurlClient&) = delete;
  CurlClient& operator=(const CurlClient&) = delete;

  HttpResponse exchange(const HttpRequest& request, const OnBody& on_body) override {
    curl_easy_reset(curl_);  // keeps connections
    Exchange exchange{.curl = curl_, .on_body = &on_body};
    curl_slist* headers = nullptr;
    for (const std::string& header : request.headers) headers = curl_slist_append(headers, header.c_str());
    set_request(request, headers);
    set_callbacks(exchange);
    const CURLcode code = curl_easy_perform(curl_);
    curl_slist_free_all(headers);
    if (exchange.thrown) std::rethrow_exception(exchange.thrown);
    exchange.response.status = status_of(curl_);
    if (code != CURLE_OK) {
      exchange.response.failure = error_[0] != '\0' ? error_ : curl_easy_strerror(code);
      exchange.response.is_final = is_final(code);
    }
    return std::move(exchange.response);
  }

 private:
  void set_request(const HttpRequest& request, curl_slist* headers) {
    error_[0] = '\0';
    curl_easy_setopt(curl_, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(curl_, CURLOPT_NOBODY, request.headers_only ? 1L : 0L);
    curl_easy_setopt(curl_, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl_, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl_, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl_, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl_, CURLOPT_ERRORBUFFER, error_);
    curl_easy_setopt(curl_, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_timeout_s * 1000));
    curl_easy_setopt(curl_, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl_, CURLOPT_LOW_SPEED_TIME, std::max(1L, static_cast<long>(request.stall_timeout_s)));
    curl_easy_setopt(curl_, CURLOPT_TIMEOUT_MS, static_cast<long>(request.total_timeout_s * 1000));
    if (!request.body.empty()) {
      curl_easy_setopt(curl_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
      curl_easy_setopt(curl_, CURLOPT_POSTFIELDS, request.body.data());  // not copied: the request outlives the exchange
    }
    if (request.url.starts_with("http://")) curl_easy_setopt(curl_, CURLOPT_NOPROXY, "*");  // loopback, see hub_settings.h
    if (const char* path = certificate_file()) curl_easy_setopt(curl_, CURLOPT_CAINFO, path);
  }

  void set_callbacks(Exchange& exchange) {
    curl_easy_setopt(curl_, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl_, CURLOPT_HEADERDATA, &exchange);
    curl_easy_setopt(curl_, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl_, CURLOPT_WRITEDATA, &exchange);
    curl_easy_setopt(curl_, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl_, CURLOPT_XFERINFOFUNCTION, stop_when_interrupted);
    curl_easy_setopt(curl_, CURLOPT_XFERINFODATA, &exchange);
  }

  CURL* curl_;
  char error_[CURL_ERROR_SIZE] = {};
};

}  // namespace

std::string HttpResponse::header(const std::string& lower_case_name) const {
  const auto found = headers.find(lower_case_name);
  return found == headers.end() ? "" : found->second;
}

std::unique_ptr<HttpClient> make_curl_client() { return std::make_unique<CurlClient>(); }

}  // namespace fi
