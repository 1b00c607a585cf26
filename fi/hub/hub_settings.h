#pragma once

#include <filesystem>
#include <string>

namespace fi {

/// How to talk to the hub, by the environment variables that huggingface_hub reads.
struct HubSettings {
  std::string endpoint = "https://huggingface.co";  // HF_ENDPOINT, without a slash at its end
  std::string token;                                // HF_TOKEN, else the file HF_TOKEN_PATH; never logged, "" for none
  bool offline = false;                             // HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE: no socket is opened
  double etag_timeout_s = 10.0;                     // HF_HUB_ETAG_TIMEOUT: to connect, and for answers without a body
  double download_timeout_s = 10.0;                 // HF_HUB_DOWNLOAD_TIMEOUT: without a byte
  double first_backoff_s = 1.0;                     // doubles with every retry
};

/// kUsage for an endpoint that is neither https nor http on this machine, and for a token or number that cannot be one.
HubSettings hub_settings_from_environment();

/// $HF_HOME, else $XDG_CACHE_HOME/huggingface, else ~/.cache/huggingface.
std::filesystem::path hub_home();

/// The scheme, host and port of an address: "https://host:port".
std::string origin_of(const std::string& url);

/// True for an address on this machine, such as http://127.0.0.1:8000.
bool is_loopback(const std::string& url);

}  // namespace fi
