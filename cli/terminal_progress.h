#pragma once

#include <chrono>
#include <string>

#include "fi/core/progress.h"

namespace fi {

/// Progress on standard error: a bar with rate and time left on a terminal, a plain line every ten seconds elsewhere.
class TerminalProgress final : public ProgressSink {
 public:
  struct Options {
    bool quiet = false;
    bool is_terminal = false;
  };
  explicit TerminalProgress(Options options) : options_(options) {}

  void begin(std::string_view stage, int64_t total, std::string_view unit) override;
  void advance(int64_t amount, std::string_view detail) override;
  void end() override;
  void note(std::string_view text) override;
  void warn(std::string_view text) override;

 private:
  using Clock = std::chrono::steady_clock;
  void print(bool is_last);
  std::string line() const;

  Options options_;
  std::string stage_, unit_, detail_;
  int64_t total_ = 0, done_ = 0;
  Clock::time_point started_, printed_;
};

}  // namespace fi
