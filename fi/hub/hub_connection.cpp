#include "fi/hub/hub_connection.h"

#include <algorithm>
#include <charconv>

#include "fi/core/error.h"
#include "fi/core/json.h"
#include "fi/hub/cache.h"
#include "fi/hub/retry.h"

namespace fi {
namespace {

constexpr int kMaxRetries = 5;
constexpr int kMaxFirstRetries = 1;  // of a hub that never answered: this machine is probably offline
constexpr int kMaxExchanges = 200;   // of one file, also when each of them brings a few bytes
constexpr int kMaxRedirects = 5;
constexpr size_t kMaxListBytes = 64'000'000;

bool is_redirect(int status) { return status == 301 || status == 302 || status == 303 || status == 307 || status == 308; }

// Everything but what an address may hold as it is.
std::string percent_encoded(std::string_view text, std::string_view also_plain) {
  std::string encoded;
  for (const unsigned char c : text) {
    const bool is_plain = (c < 128 && std::isalnum(c) != 0) ||
                          std::string_view("-_.~").find(static_cast<char>(c)) != std::string_view::npos ||
                          also_plain.find(static_cast<char>(c)) != std::string_view::npos;
    encoded += is_plain ? std::string(1, static_cast<char>(c)) : fmt::format("%{:02X}", c);
  }
  return encoded;
}

std::optional<uint64_t> number_in(const std::string& text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && !text.empty() ? std::optional(value) : std::nullopt;
}

std::string plain_etag(std::string etag) {
  if (etag.starts_with("W/")) etag.erase(0, 2);
  std::erase(etag, '"');
  return etag;
}

// `location` as the server gave it, absolute or relative to `url`.
std::string absolute_url(const std::string& location, const std::string& url) {
  if (location.find("://") != std::string::npos) return location;
  if (location.starts_with("//")) return url.substr(0, url.find(':') + 1) + location;
  if (location.starts_with("/")) return origin_of(url) + location;
  return url.substr(0, url.find_last_of('/') + 1) + location;
}

/// Ends an exchange whose bytes are of no use.
struct WrongBytes {};

bool begins_as_told(const RemoteFile& file, const HttpResponse& response, uint64_t offset) {
  const std::string encoding = response.header("content-encoding");
  const std::string etag = plain_etag(response.header("etag"));
  const bool is_other_file = !response.header("x-repo-commit").empty() && is_blob_name(etag) && etag != file.etag &&
                             response.header("x-linked-etag").empty();
  const bool is_in_place =
      response.status == 200 || response.header("content-range").starts_with(fmt::format("bytes {}-", offset));
  return is_in_place && !is_other_file && (encoding.empty() || encoding == "identity");
}

}  // namespace

std::string HubConnection::url_of(const std::string& revision, const std::string& file) const {
  return fmt::format("{}/{}/resolve/{}/{}", settings_.endpoint, repository_, percent_encoded(revision, ""),
                     percent_encoded(file, "/"));
}

HttpResponse HubConnection::send(HttpRequest request, const HttpClient::OnBody& on_body) {
  check(request.url.starts_with("https://") || (is_loopback(request.url) && is_loopback(settings_.endpoint)), ErrorCode::kNetwork,
        "[hub] {} sends us to an address without https; do not use this hub.", settings_.endpoint);
  request.headers.push_back("User-Agent: feature-interpreter");
  request.headers.push_back("Accept-Encoding: identity");
  if (!settings_.token.empty() && origin_of(request.url) == origin_of(settings_.endpoint))
    request.headers.push_back("Authorization: Bearer " + settings_.token);
  HttpResponse response = client_.exchange(request, on_body);
  is_reached_ = is_reached_ || response.status != 0;
  return response;
}

HttpResponse HubConnection::follow(HttpRequest request, const HttpClient::OnBody& on_body) {
  for (int redirects = 0; redirects <= kMaxRedirects; ++redirects) {
    HttpResponse response = send(request, on_body);
    const std::string location = response.header("location");
    // What the hub says of a file stands in its own answer, not in that of the storage it points to.
    const bool is_elsewhere = location.find("://") != std::string::npos || location.starts_with("//");
    if (!response.failure.empty() || !is_redirect(response.status) || location.empty() || (request.headers_only && is_elsewhere))
      return response;
    request.url = absolute_url(location, request.url);
  }
  fail(ErrorCode::kNetwork, "[hub] {} redirects more than {} times; try again later.", settings_.endpoint, kMaxRedirects);
}

void HubConnection::wait_to_retry(int retry, const HttpResponse& response, const std::string& what) {
  const double pause = pause_before_retry(retry, response, settings_.first_backoff_s);
  progress_.note(fmt::format("[hub] {}: {}; trying again in {:.1f} s", what, what_happened(response), pause));
  wait_seconds(pause);
}

void HubConnection::reject(const HttpResponse& response, const std::string& revision, const std::string& file) const {
  const std::string code = response.header("x-error-code");
  if (response.status == 401) {
    fail(ErrorCode::kAuth,
         "[hub] {} answered 401 for '{}': it does not exist, or it is private; check the name, or set HF_TOKEN{}.",
         settings_.endpoint, repository_, settings_.token.empty() ? "" : " to a token that may read it");
  }
  if (response.status == 403) {
    fail(ErrorCode::kAuth, "[hub] {} answered 403 for '{}': access is restricted; accept its terms at {}/{} and set HF_TOKEN.",
         settings_.endpoint, repository_, settings_.endpoint, repository_);
  }
  if (response.status == 404 && code == "RevisionNotFound") {
    fail(ErrorCode::kNotFound, "[hub] '{}' has no revision '{}'; give a branch, tag or commit of it.", repository_, revision);
  }
  if (response.status == 404) {
    fail(ErrorCode::kNotFound, "[hub] {} has no model '{}' (status 404 for {}); check the name.", settings_.endpoint, repository_,
         file);
  }
  fail(ErrorCode::kNetwork,
       "[hub] {} of '{}' cannot be had from {}: {}; try again later, or set HF_HUB_OFFLINE=1 to use the cache.", file,
       repository_, settings_.endpoint, what_happened(response));
}

HttpResponse HubConnection::insist(const HttpRequest& request, const std::string& what, std::string* body) {
  const auto take = [&](const HttpResponse&, std::string_view bytes) {
    if (body == nullptr) return;
    check(body->size() + bytes.size() <= kMaxListBytes, ErrorCode::kInvalid,
          "[hub] {} answers more than {} bytes for {} of '{}'.", settings_.endpoint, kMaxListBytes, what, repository_);
    *body += bytes;
  };
  for (int retry = 0;; ++retry) {
    if (body != nullptr) body->clear();
    HttpResponse response = follow(request, take);
    if (!is_worth_a_retry(response) || retry >= (is_reached_ ? kMaxRetries : kMaxFirstRetries)) return response;
    wait_to_retry(retry, response, what);
  }
}

std::vector<std::string> HubConnection::list(const std::string& revision) {
  const HttpRequest request{
      .url = fmt::format("{}/api/models/{}/revision/{}", settings_.endpoint, repository_, percent_encoded(revision, "")),
      .connect_timeout_s = settings_.etag_timeout_s,
      .stall_timeout_s = settings_.etag_timeout_s};
  std::string body;
  const std::string what = "the list of files";
  const HttpResponse response = insist(request, what, &body);
  if (!response.failure.empty() || response.status != 200) reject(response, revision, what);
  const Json document = parse_json(body, "hub", fmt::format("{} of '{}'", what, repository_));
  std::vector<std::string> names;
  const Json siblings = document.is_object() ? document.value("siblings", Json::array()) : Json::array();
  for (const Json& file : siblings) {
    if (file.is_object() && file.contains("rfilename") && file["rfilename"].is_string()) names.push_back(file["rfilename"]);
  }
  return names;
}

std::optional<RemoteFile> HubConnection::find(const std::string& revision, const std::string& file) {
  const HttpRequest request{.url = url_of(revision, file),
                            .headers_only = true,
                            .connect_timeout_s = settings_.etag_timeout_s,
                            .stall_timeout_s = settings_.etag_timeout_s};
  const HttpResponse response = insist(request, file);
  const std::string code = response.header("x-error-code");
  if (response.status == 404 && code != "RepoNotFound" && code != "RevisionNotFound") return std::nullopt;
  if (!response.failure.empty() || (response.status != 200 && !is_redirect(response.status))) reject(response, revision, file);

  RemoteFile remote{
      .name = file, .commit = response.header("x-repo-commit"), .etag = plain_etag(response.header("x-linked-etag"))};
  if (remote.etag.empty()) remote.etag = plain_etag(response.header("etag"));
  check(!remote.commit.empty() && !remote.etag.empty(), ErrorCode::kNetwork,
        "[hub] {} does not answer like a model hub (no X-Repo-Commit or ETag for {}); is a login page in between?",
        settings_.endpoint, file);
  check(is_commit_hash(remote.commit) && is_blob_name(remote.etag), ErrorCode::kInvalid,
        "[hub] {} describes {} by commit '{}' and etag '{}', expected hexadecimal hashes; do not use this hub.",
        settings_.endpoint, file, remote.commit, remote.etag);
  remote.size_bytes = number_in(response.header("x-linked-size"));
  if (!remote.size_bytes && response.status == 200) remote.size_bytes = number_in(response.header("content-length"));
  return remote;
}

bool HubConnection::fetch(const RemoteFile& file, BlobFile& blob) {
  HttpResponse response;
  int retry = 0;
  for (int exchange = 0; exchange < kMaxExchanges && retry <= kMaxRetries; ++exchange) {
    if (exchange > 0) wait_to_retry(std::max(0, retry - 1), response, file.name);
    const uint64_t before = blob.size_bytes();
    bool fits = true;
    response = continue_fetch(file, blob, fits);
    const bool has_ended = response.failure.empty() && (response.status == 200 || response.status == 206);
    if (!fits) return false;
    if (has_ended && blob.size_bytes() == file.size_bytes.value_or(blob.size_bytes())) return true;
    if (has_ended && !response.header("content-length").empty()) return false;  // nothing was cut: the file has another size
    if (response.status == 416) clear(blob);
    if (!has_ended && response.status != 416 && !is_worth_a_retry(response)) break;
    retry = blob.size_bytes() > before ? 1 : retry + 1;
  }
  reject(response, file.commit, file.name);
}

HttpResponse HubConnection::continue_fetch(const RemoteFile& file, BlobFile& blob, bool& fits) {
  HttpRequest request{.url = url_of(file.commit, file.name),
                      .connect_timeout_s = settings_.etag_timeout_s,
                      .stall_timeout_s = settings_.download_timeout_s};
  const uint64_t before = blob.size_bytes();
  if (before > 0) request.headers.push_back(fmt::format("Range: bytes={}-", before));
  bool has_begun = false;
  const auto take = [&](const HttpResponse& response, std::string_view bytes) {
    if (response.status != 200 && response.status != 206) return;         // the text of an error
    if (!has_begun && response.status == 200 && before > 0) clear(blob);  // the server begins again
    fits = fits && (has_begun || begins_as_told(file, response, before)) &&
           blob.size_bytes() + bytes.size() <= file.size_bytes.value_or(UINT64_MAX);
    has_begun = true;
    if (!fits) throw WrongBytes();
    blob.append(bytes);
    progress_.advance(static_cast<int64_t>(bytes.size()));
  };
  try {
    return follow(request, take);
  } catch (const WrongBytes&) {
    return {};
  }
}

void HubConnection::clear(BlobFile& blob) {
  progress_.advance(-static_cast<int64_t>(blob.size_bytes()));
  blob.clear();
}

}  // namespace fi
