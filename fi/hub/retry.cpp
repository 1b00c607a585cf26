#include "fi/hub/retry.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <thread>

#include "fi/core/progress.h"

namespace fi {
namespace {

constexpr double kLongestBackoff = 8.0;
constexpr double kLongestRetryAfter = 60.0;

}  // namespace

bool is_worth_a_retry(const HttpResponse& response) {
  constexpr int kPassing[] = {408, 425, 429, 500, 502, 503, 504};
  if (!response.failure.empty()) return !response.is_final;
  return std::find(std::begin(kPassing), std::end(kPassing), response.status) != std::end(kPassing);
}

double pause_before_retry(int retry, const HttpResponse& response, double first_pause_s) {
  const std::string asked = response.header("retry-after");
  uint32_t seconds = 0;
  const auto [end, error] = std::from_chars(asked.data(), asked.data() + asked.size(), seconds);
  if (!asked.empty() && error == std::errc() && end == asked.data() + asked.size())
    return std::min(kLongestRetryAfter, static_cast<double>(seconds));
  return std::min(kLongestBackoff, first_pause_s * static_cast<double>(1 << retry));
}

void wait_seconds(double seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (std::chrono::steady_clock::now() < end) {
    check_interrupt();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

std::string what_happened(const HttpResponse& response) {
  return response.failure.empty() ? fmt::format("status {}", response.status) : response.failure;
}

}  // namespace fi
