#include "fi/compare/baseline_notes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "fi/core/error.h"

namespace fi {
namespace {

constexpr const char* kCrosscoderMethod = "crosscoder latents";
constexpr const char* kMeasured =
    "the base gets the target's values inside the span of a method's directions, after the layer of the strongest change, on "
    "prompts "
    "that no simple method was made on: the share of KL(target || base) that goes; and how well the size of the difference there "
    "tells prompts of the change from others (area under the ROC curve, 0.5 by chance)";

struct RaceEntry {
  std::string method;
  int64_t num_directions = 0;
  double kl_removed = 0.0;
};

std::vector<RaceEntry> entries_of(const Json& rows, bool crosscoder) {
  std::vector<RaceEntry> entries;
  for (const Json& row : rows) {
    const std::string method = row.at("method");
    const bool simple = method == "difference in means" || method == "PCA of the difference";
    if (crosscoder ? method == kCrosscoderMethod : simple)
      entries.push_back({method, row.at("num_directions"), row.at("kl_removed")});
  }
  return entries;
}

const RaceEntry* best_within(const std::vector<RaceEntry>& entries, int64_t most_directions) {
  const RaceEntry* best = nullptr;
  for (const RaceEntry& entry : entries) {
    if (entry.num_directions > most_directions) continue;
    if (best == nullptr || entry.kl_removed > best->kl_removed) best = &entry;
  }
  return best;
}

std::string percent(double share) { return fmt::format("{:.{}f}%", 100.0 * share, std::abs(share) < 0.1 ? 1 : 0); }

std::string directions_text(int64_t count) { return fmt::format("{} direction{}", count, count == 1 ? "" : "s"); }

std::string simple_alone(const RaceEntry& best) {
  return fmt::format("No crosscoder was trained at this layer; of the simple methods {} removes the most of the KL: {} in {}.",
                     best.method, percent(best.kl_removed), directions_text(best.num_directions));
}

}  // namespace

std::string baselines_sentence(const Json& rows) {
  const std::vector<RaceEntry> simple = entries_of(rows, false), latents = entries_of(rows, true);
  if (simple.empty()) return "";
  if (latents.empty()) return simple_alone(*std::ranges::max_element(simple, {}, &RaceEntry::kl_removed));
  std::vector<std::string> races;
  size_t num_simple = 0;
  for (const RaceEntry& entry : latents) {
    const RaceEntry* best = best_within(simple, entry.num_directions);
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
  return fmt::format("{}: {}.", who, fmt::join(races, "; "));
}

Json baseline_notes(const Json& rows) try {
  Json notes = {{"result", baselines_sentence(rows)}, {"measured", kMeasured}};
  for (const Json& row : rows) {
    const std::string name =
        fmt::format("{}, {}", row.at("method").get<std::string>(), directions_text(row.at("num_directions").get<int64_t>()));
    notes[name] = fmt::format("{} of the KL ({} to {}), {} a direction; tells prompts apart {:.2f}",
                              percent(row.at("kl_removed").get<double>()), percent(row.at("ci_low").get<double>()),
                              percent(row.at("ci_high").get<double>()), percent(row.at("kl_per_direction").get<double>()),
                              row.at("discrimination").get<double>());
  }
  return notes;
} catch (const Json::exception& error) {
  fail(ErrorCode::kInvalid, "[baselines] baselines.json is damaged: {}; run the comparison again.", error.what());
}

}  // namespace fi
