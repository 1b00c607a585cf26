#include "fi/activations/hook_points.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

namespace fi {
namespace {

constexpr std::string_view kResidPost = "resid_post.";
constexpr int64_t kMostLayers = 100'000;

std::optional<int64_t> parse_layer(std::string_view word) {
  int64_t layer = -1;
  const auto parsed = std::from_chars(word.data(), word.data() + word.size(), layer);
  const bool is_number = parsed.ec == std::errc() && parsed.ptr == word.data() + word.size();
  return is_number && layer >= 0 && layer < kMostLayers ? std::optional(layer) : std::nullopt;
}

}  // namespace

std::string group_text(const LayerGroup& layers) { return fmt::format("{}", fmt::join(layers, "+")); }

std::optional<LayerGroup> parse_layers(std::string_view text) {
  LayerGroup layers;
  for (size_t first = 0; first <= text.size();) {
    const size_t end = std::min(text.find('+', first), text.size());
    const std::optional<int64_t> layer = parse_layer(text.substr(first, end - first));
    if (!layer) return std::nullopt;
    layers.push_back(*layer);
    first = end + 1;
  }
  std::sort(layers.begin(), layers.end());
  layers.erase(std::unique(layers.begin(), layers.end()), layers.end());
  return layers;
}

std::string hook_point_after(const LayerGroup& layers) { return fmt::format("{}{}", kResidPost, group_text(layers)); }

std::optional<LayerGroup> layers_of_hook_point(std::string_view hook_point) {
  if (!hook_point.starts_with(kResidPost)) return std::nullopt;
  return parse_layers(hook_point.substr(kResidPost.size()));
}

}  // namespace fi
