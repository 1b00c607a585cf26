#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fi/core/progress.h"
#include "fi/hub/blob_file.h"
#include "fi/hub/http.h"
#include "fi/hub/hub_settings.h"

namespace fi {

/// What the hub says of a file before it is downloaded.
struct RemoteFile {
  std::string name;
  std::string commit;                  // of the snapshot that it belongs to
  std::string etag;                    // 40 or 64 hexadecimal digits; 64: the SHA-256 of the contents
  std::optional<uint64_t> size_bytes;  // where the hub says it
};

/// Asks one repository of a hub, with retries (five without progress, the pause doubling, or as Retry-After says). The token goes
/// to the endpoint's own host only. Errors: kAuth (401, 403), kNotFound (no such model or revision), kNetwork (everything that
/// trying again did not mend), kInvalid (an answer that no honest hub gives).
class HubConnection {
 public:
  HubConnection(HttpClient& client, const HubSettings& settings, std::string repository, ProgressSink& progress)
      : client_(client), settings_(settings), repository_(std::move(repository)), progress_(progress) {}

  /// Nothing if the repository has no such file at `revision`.
  std::optional<RemoteFile> find(const std::string& revision, const std::string& file);
  /// Appends the file to `blob` until its size is reached; continues after cuts. False if the hub answered with other bytes than
  /// it announced.
  bool fetch(const RemoteFile& file, BlobFile& blob);
  /// The names of all files at `revision`, as the hub gives them; they may be no plain paths.
  std::vector<std::string> list(const std::string& revision);

 private:
  std::string url_of(const std::string& revision, const std::string& file) const;
  HttpResponse send(HttpRequest request, const HttpClient::OnBody& on_body);
  HttpResponse follow(HttpRequest request, const HttpClient::OnBody& on_body);
  HttpResponse insist(const HttpRequest& request, const std::string& what, std::string* body = nullptr);
  HttpResponse continue_fetch(const RemoteFile& file, BlobFile& blob, bool& fits);
  void clear(BlobFile& blob);
  void wait_to_retry(int retry, const HttpResponse& response, const std::string& what);
  [[noreturn]] void reject(const HttpResponse& response, const std::string& revision, const std::string& file) const;

  HttpClient& client_;
  const HubSettings& settings_;
  std::string repository_;
  ProgressSink& progress_;
  bool is_reached_ = false;  // the hub answered once
};

}  // namespace fi
