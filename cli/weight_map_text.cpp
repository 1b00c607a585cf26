#include "cli/weight_map_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

namespace fi {
namespace {

constexpr const char* kBars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

using Changes = std::map<int64_t, double>;  // by layer

std::string bar(double change, double smallest, double largest) {
  if (change <= 0.0) return "·";
  const double range = std::log(largest / smallest);
  const double height = range > 0.0 ? std::log(change / smallest) / range : 1.0;
  return kBars[std::clamp(static_cast<int>(height * 8.0), 0, 7)];
}

}  // namespace

std::string weight_map_text(const Json& weights) {
  std::vector<std::pair<std::string, Changes>> matrices;
  double smallest = 0.0, largest = 0.0;
  size_t width = 0;
  for (const Json& row : weights) {
    const auto name = row.at("matrix").get<std::string>();
    const auto change = row.at("relative_change").get<double>();
    auto found = std::find_if(matrices.begin(), matrices.end(), [&](const auto& entry) { return entry.first == name; });
    if (found == matrices.end()) found = matrices.insert(matrices.end(), {name, {}});
    found->second[row.at("layer").get<int64_t>()] = change;
    width = std::max(width, name.size());
    largest = std::max(largest, change);
    if (change > 0.0) smallest = smallest == 0.0 ? change : std::min(smallest, change);
  }
  if (largest == 0.0) return "";
  std::string text =
      fmt::format("weight change by layer, from {:.2g} (▁) to {:.2g} (█) of a matrix's size:\n", smallest, largest);
  for (const auto& [name, changes] : matrices) {
    text += fmt::format("  {:<{}}  ", name, width);
    for (const auto& [layer, change] : changes) text += bar(change, smallest, largest);
    text += "\n";
  }
  return text;
}

}  // namespace fi
