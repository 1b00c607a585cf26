#include "fi/compare/calibration_file.h"

#include <fmt/format.h>

#include <cstdlib>
#include <vector>

#include "fi/core/error.h"
#include "fi/io/atomic_file.h"

namespace fi {

std::filesystem::path calibration_path(const std::string& base_sha256) {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  const std::filesystem::path root = cache != nullptr && *cache != '\0'
                                         ? std::filesystem::path(cache)
                                         : std::filesystem::path(home != nullptr ? home : ".") / ".cache";
  return root / "feature-interpreter" / "calibration" / (base_sha256.substr(0, 16) + ".json");
}

std::string calibration_sentence(const Json& calibration, std::string_view where) try {
  std::vector<std::string> parts;
  for (const Json& row : calibration.at("tests")) {
    const auto trials = row.at("trials").get<int64_t>();
    std::string part =
        fmt::format("{}: a claim in {} of {}", row.at("kind").get<std::string>(), row.at("with_claim").get<int64_t>(), trials);
    if (trials > 1)
      part += fmt::format(" (95% interval {:.0f}-{:.0f}%)", 100.0 * row.at("ci_low").get<double>(),
                          100.0 * row.at("ci_high").get<double>());
    parts.push_back(std::move(part));
  }
  return fmt::format("How often this tool claims what is not there was measured with this base (budget {}, effect size {}): {}.",
                     calibration.at("budget").get<std::string>(), calibration.at("feature_threshold").get<double>(),
                     fmt::join(parts, "; "));
} catch (const Json::exception& error) {
  fail(ErrorCode::kInvalid, "[calibrate] {} is damaged: {}; calibrate again.", where, error.what());
}

std::string measured_false_claims(const std::string& base_sha256) {
  const std::filesystem::path path = calibration_path(base_sha256);
  if (!std::filesystem::is_regular_file(path)) return "not measured with this base; `feature-interpreter calibrate` does that";
  return calibration_sentence(parse_json(read_file(path, "calibrate"), "calibrate", path.string()), path.string());
}

}  // namespace fi
