#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fi {

/// Where the library reports what it is doing. The command line tool owns the real one; the library itself never prints.
class ProgressSink {
 public:
  virtual ~ProgressSink() = default;

  /// A new stage of `total` units begins (0: unknown). `unit` is a plural noun such as "tokens".
  virtual void begin(std::string_view stage, int64_t total, std::string_view unit) = 0;
  /// `amount` more units are done. `detail` is a short note, such as a loss.
  virtual void advance(int64_t amount, std::string_view detail = {}) = 0;
  virtual void end() = 0;
  /// One line for the log.
  virtual void note(std::string_view text) = 0;
  /// Something a user should know, though the run goes on.
  virtual void warn(std::string_view text) = 0;
};

/// A sink that keeps nothing.
ProgressSink& silent_progress();

/// Begins a stage and ends it when it goes out of scope, also after an exception.
class StageProgress {
 public:
  StageProgress(ProgressSink& sink, std::string_view stage, int64_t total, std::string_view unit) : sink_(sink) {
    sink_.begin(stage, total, unit);
  }
  ~StageProgress() { sink_.end(); }
  StageProgress(const StageProgress&) = delete;
  StageProgress& operator=(const StageProgress&) = delete;

  void advance(int64_t amount, std::string_view detail = {}) { sink_.advance(amount, detail); }

 private:
  ProgressSink& sink_;
};

/// Asks every long loop to stop at its next safe point. Async-signal-safe.
void request_interrupt();
void clear_interrupt();
/// Throws a kInterrupted error if an interrupt was requested. Long loops call it between batches.
void check_interrupt();

}  // namespace fi
