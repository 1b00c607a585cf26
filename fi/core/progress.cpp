#include "fi/core/progress.h"

#include <atomic>

#include "fi/core/error.h"

namespace fi {
namespace {

class SilentProgress final : public ProgressSink {
 public:
  void begin(std::string_view, int64_t, std::string_view) override {}
  void advance(int64_t, std::string_view) override {}
  void end() override {}
  void note(std::string_view) override {}
  void warn(std::string_view) override {}
};

std::atomic<bool> interrupt_requested{false};

}  // namespace

ProgressSink& silent_progress() {
  static SilentProgress sink;
  return sink;
}

void request_interrupt() { interrupt_requested.store(true, std::memory_order_relaxed); }
void clear_interrupt() { interrupt_requested.store(false, std::memory_order_relaxed); }

void check_interrupt() {
  check(!interrupt_requested.load(std::memory_order_relaxed), ErrorCode::kInterrupted,
        "[run] interrupted; what was finished is kept, continue with --resume.");
}

}  // namespace fi
