#include "cli/terminal_progress.h"

#include <fmt/format.h>

#include <cstdio>

#include "cli/units.h"

namespace fi {
namespace {

constexpr double kTerminalInterval = 0.1;  // seconds between redraws
constexpr double kPlainInterval = 10.0;    // seconds between lines where nobody watches
constexpr int kBarWidth = 24;

double seconds_between(std::chrono::steady_clock::time_point a, std::chrono::steady_clock::time_point b) {
  return std::chrono::duration<double>(b - a).count();
}

}  // namespace

void TerminalProgress::begin(std::string_view stage, int64_t total, std::string_view unit) {
  stage_ = stage;
  unit_ = unit;
  detail_.clear();
  total_ = total;
  done_ = 0;
  started_ = printed_ = Clock::now();
}

void TerminalProgress::advance(int64_t amount, std::string_view detail) {
  done_ += amount;
  detail_ = detail;
  const double interval = options_.is_terminal ? kTerminalInterval : kPlainInterval;
  if (seconds_between(printed_, Clock::now()) >= interval) print(false);
}

void TerminalProgress::end() { print(true); }

std::string TerminalProgress::line() const {
  const double elapsed = seconds_between(started_, Clock::now());
  const double rate = elapsed > 0.0 ? static_cast<double>(done_) / elapsed : 0.0;
  std::string text = fmt::format("{}: {}", stage_, done_);
  if (total_ > 0) text += fmt::format("/{}", total_);
  text += fmt::format(" {} ({:.1f}/s", unit_, rate);
  if (done_ < total_ && rate > 0.0) {
    text += fmt::format(", {} left)", duration_text(static_cast<double>(total_ - done_) / rate));
  } else {
    text += fmt::format(", {})", duration_text(elapsed));
  }
  return detail_.empty() ? text : text + " " + detail_;
}

void TerminalProgress::print(bool is_last) {
  if (options_.quiet) return;
  printed_ = Clock::now();
  if (!options_.is_terminal) {
    fmt::print(stderr, "{}\n", line());
    return;
  }
  const int filled = total_ > 0 ? static_cast<int>(kBarWidth * done_ / total_) : 0;
  fmt::print(stderr, "\r\x1b[K[{:#<{}}{:.<{}}] {}{}", "", filled, "", kBarWidth - filled, line(), is_last ? "\n" : "");
  std::fflush(stderr);
}

void TerminalProgress::note(std::string_view text) {
  if (!options_.quiet) fmt::print(stderr, "{}\n", text);
}

void TerminalProgress::warn(std::string_view text) { fmt::print(stderr, "warning: {}\n", text); }

}  // namespace fi
