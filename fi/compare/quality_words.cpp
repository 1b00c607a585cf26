#include "fi/compare/quality_words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

namespace fi {

std::string explained_words(const Json& quality) {
  std::vector<std::string> shares;
  for (const Json& share : quality.at("explained_by_model")) shares.push_back(fmt::format("{:.3f}", share.get<double>()));
  const auto target = shares.begin() + static_cast<std::ptrdiff_t>(shares.size() / 2);
  return fmt::format("base {}, target {}", fmt::join(shares.begin(), target, "/"), fmt::join(target, shares.end(), "/"));
}

}  // namespace fi
