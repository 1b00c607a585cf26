#include "fi/compare/baselines_sentence.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace fi {
namespace {

constexpr const char* kCrosscoderMethod = "crosscoder latents";
constexpr const char* kDifferenceMethod = "difference SAE latents";
constexpr std::string_view kSimpleMethods[] = {"difference in means", "PCA of the difference", "activation difference lens"};

bool is_simple(const std::string& method) { return std::ranges::find(kSimpleMethods, method) != std::end(kSimpleMethods); }

template <typename Wanted>
std::vector<BaselineRow> rows_of(const std::vector<BaselineRow>& rows, const Wanted& wanted) {
  std::vector<BaselineRow> chosen;
  std::ranges::copy_if(rows, std::back_inserter(chosen), [&](const BaselineRow& row) { return wanted(row.method); });
  return chosen;
}

const BaselineRow* best_within(const std::vector<BaselineRow>& entries, int64_t most_directions) {
  const BaselineRow* best = nullptr;
  for (const BaselineRow& entry : entries) {
    if (entry.num_directions > most_directions) continue;
    if (best == nullptr || entry.kl_removed > best->kl_removed) best = &entry;
  }
  return best;
}

std::string percent(double share) { return fmt::format("{:.{}f}%", 100.0 * share, std::abs(share) < 0.1 ? 1 : 0); }

std::string directions_text(int64_t count) { return fmt::format("{} direction{}", count, count == 1 ? "" : "s"); }

std::string simple_alone(const BaselineRow& best) {
  return fmt::format("No crosscoder was trained at this layer; of the simple methods {} removes the most of the KL: {} in {}.",
                     best.method, percent(best.kl_removed), directions_text(best.num_directions));
}

std::string difference_sae(const std::vector<BaselineRow>& rows) {
  std::vector<std::string> shares;
  for (const BaselineRow& row : rows)
    shares.push_back(
        fmt::format("{} with {} latent{}", percent(row.kl_removed), row.num_directions, row.num_directions == 1 ? "" : "s"));
  return shares.empty() ? "" : fmt::format(" An SAE on the difference removes {}.", fmt::join(shares, ", "));
}

}  // namespace

std::string baselines_sentence(const std::vector<BaselineRow>& rows) {
  const auto is_named = [](const char* name) { return [name](const std::string& method) { return method == name; }; };
  const std::vector<BaselineRow> simple = rows_of(rows, is_simple), latents = rows_of(rows, is_named(kCrosscoderMethod));
  if (simple.empty()) return "";
  if (latents.empty()) return simple_alone(*std::ranges::max_element(simple, {}, &BaselineRow::kl_removed));
  std::vector<std::string> races;
  size_t num_simple = 0;
  for (const BaselineRow& entry : latents) {
    const BaselineRow* best = best_within(simple, entry.num_directions);
    if (best == nullptr) continue;
    num_simple += best->kl_removed >= entry.kl_removed ? 1 : 0;
    races.push_back(fmt::format("{} latent{} remove{} {} of the KL, {} in {} {}", entry.num_directions,
                                entry.num_directions == 1 ? "" : "s", entry.num_directions == 1 ? "s" : "",
                                percent(entry.kl_removed), best->method, directions_text(best->num_directions),
                                percent(best->kl_removed)));
  }
  const std::string who =
      num_simple == races.size() ? "A simple method does better than the crosscoder at every number of directions"
      : num_simple == 0          ? "The crosscoder does better than the simple methods at every number of directions"
                        : fmt::format("A simple method does better than the crosscoder at {} of {} numbers of directions",
                                      num_simple, races.size());
  return fmt::format("{}: {}.{}", who, fmt::join(races, "; "), difference_sae(rows_of(rows, is_named(kDifferenceMethod))));
}

}  // namespace fi
