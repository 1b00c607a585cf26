#include "fi/hub/hub_settings.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "fi/core/error.h"
#include "fi/io/atomic_file.h"

namespace fi {
namespace {

// "" where it is not set.
std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool is_set(const char* name) {
  std::string value = environment(name);
  std::transform(value.begin(), value.end(), value.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return value == "1" || value == "ON" || value == "YES" || value == "TRUE";
}

double seconds(const char* name, double fallback) {
  const std::string text = environment(name);
  if (text.empty()) return fallback;
  double value = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  check(error == std::errc() && end == text.data() + text.size() && value > 0.0 && value < 86400.0, ErrorCode::kUsage,
        "[hub] {} is '{}', expected a number of seconds.", name, text);
  return value;
}

std::string trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::string read_token() {
  if (is_set("HF_HUB_DISABLE_IMPLICIT_TOKEN")) return "";
  std::string token = trimmed(environment("HF_TOKEN"));
  if (token.empty()) {
    const std::string named = environment("HF_TOKEN_PATH");
    const std::filesystem::path path = named.empty() ? hub_home() / "token" : std::filesystem::path(named);
    std::error_code ignored;
    if (std::filesystem::is_regular_file(path, ignored)) token = trimmed(read_file(path, "hub"));
  }
  const bool is_plain = std::all_of(token.begin(), token.end(), [](unsigned char c) { return c > 32 && c < 127; });
  check(is_plain, ErrorCode::kUsage, "[hub] the token in HF_TOKEN or HF_TOKEN_PATH holds characters that a token cannot have.");
  return token;
}

}  // namespace

std::filesystem::path hub_home() {
  if (const std::string home = environment("HF_HOME"); !home.empty()) return home;
  if (const std::string cache = environment("XDG_CACHE_HOME"); !cache.empty())
    return std::filesystem::path(cache) / "huggingface";
  const std::string home = environment("HOME");
  return std::filesystem::path(home.empty() ? "/" : home) / ".cache" / "huggingface";
}

std::string origin_of(const std::string& url) {
  const size_t scheme_end = url.find("://");
  return scheme_end == std::string::npos ? "" : url.substr(0, url.find_first_of("/?#", scheme_end + 3));
}

bool is_loopback(const std::string& url) {
  const std::string origin = origin_of(url);
  if (origin.empty() || origin.find('@') != std::string::npos) return false;
  std::string host = origin.substr(origin.find("://") + 3);
  const size_t port = host.rfind(':');
  if (port != std::string::npos && host.find(']', port) == std::string::npos) host.resize(port);
  const bool is_v4 = host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string::npos;
  return host == "localhost" || host == "[::1]" || is_v4;
}

HubSettings hub_settings_from_environment() {
  HubSettings settings;
  if (std::string endpoint = environment("HF_ENDPOINT"); !endpoint.empty()) {
    while (endpoint.ends_with('/')) endpoint.pop_back();
    settings.endpoint = endpoint;
  }
  check(settings.endpoint.starts_with("https://") || (settings.endpoint.starts_with("http://") && is_loopback(settings.endpoint)),
        ErrorCode::kUsage, "[hub] HF_ENDPOINT is '{}', expected an address with https:// (http:// only on this machine).",
        settings.endpoint);
  settings.offline = is_set("HF_HUB_OFFLINE") || is_set("TRANSFORMERS_OFFLINE");
  settings.etag_timeout_s = seconds("HF_HUB_ETAG_TIMEOUT", settings.etag_timeout_s);
  settings.download_timeout_s = seconds("HF_HUB_DOWNLOAD_TIMEOUT", settings.download_timeout_s);
  settings.token = read_token();
  return settings;
}

}  // namespace fi
