// Resolves one hub name, for tests/hub/test_download.py: prints what was found as JSON, or the error; exits with its code.

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "fi/core/error.h"
#include "fi/core/json.h"
#include "fi/hub/model_files.h"

namespace {

class LinesOnError final : public fi::ProgressSink {
 public:
  void begin(std::string_view stage, int64_t total, std::string_view unit) override {
    fmt::print(stderr, "begin {} {} {}\n", stage, total, unit);
    done_ = 0;
  }
  void advance(int64_t amount, std::string_view) override { done_ += amount; }
  void end() override { fmt::print(stderr, "end {}\n", done_); }
  void note(std::string_view text) override { fmt::print(stderr, "note {}\n", text); }
  void warn(std::string_view text) override { fmt::print(stderr, "warn {}\n", text); }

 private:
  int64_t done_ = 0;
};

}  // namespace

int main(int argc, char** argv) try {
  std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error like any other
  fi::HubOptions options{.revision = argc > 2 ? argv[2] : "main"};
  options.settings = fi::hub_settings_from_environment();
  options.settings->first_backoff_s = 0.01;
  LinesOnError progress;
  const fi::ModelFiles files = fi::resolve_model(argc > 1 ? argv[1] : "", options, progress);
  fi::Json found = {{"revision", files.revision.value_or("")}, {"weights", fi::Json::array()}};
  for (const auto& path : files.weights) found["weights"].push_back(path.string());
  fmt::print("{}\n", found.dump());
  return 0;
} catch (const fi::Error& error) {
  fmt::print(stderr, "error: {}\n", error.what());
  return static_cast<int>(error.code());
}
