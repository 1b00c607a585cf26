#include "fi/compare/directions.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "fi/compare/logit_lens.h"
#include "fi/diff/difference_directions.h"

namespace fi {
namespace {

constexpr int64_t kDirectionsPerLayer = 4;
constexpr size_t kCategoriesListed = 8;
constexpr size_t kExamples = 4;
constexpr int64_t kTokensAround = 16;  // shown before and after the token that fires most

/// One direction, with the movement of every row along it.
class DirectionView {
 public:
  DirectionView(const DirectionInputs& inputs, const DifferenceDirection& direction)
      : in_(inputs), direction_(direction), movement_(movement_along(inputs.rows, direction.direction)) {
    const int64_t shared = shared_prefix(in_.texts);
    for (size_t i = 0; i < in_.rows.text.size(); ++i) {
      if (in_.rows.position[i] >= shared) rows_of_[in_.rows.text[i]].push_back(static_cast<int64_t>(i));
    }
  }

  Json document() const {
    const DirectionUse use = use_of_direction(in_.rows, direction_.direction, at::ones({movement_.size(0)}, at::kBool));
    Json entry = {{"id", fmt::format("L{}-{}", direction_.layer, direction_.label)},
                  {"layer", direction_.layer},
                  {"engine", direction_.label == "mean" ? "difference in means" : "difference PCA"},
                  {"share_of_difference", direction_.share_of_difference},
                  {"base_use", use.base},
                  {"target_use", use.target},
                  {"promoted", lens(direction_.direction)},
                  {"suppressed", lens(direction_.direction.neg())},
                  {"categories", categories()},
                  {"examples", examples()}};
    if (const auto name = scored_name()) {
      entry["name"] = {{"fires_on", name->words},          {"score", name->score},
                       {"shuffled", name->shuffled},       {"num_inside", name->num_inside},
                       {"num_outside", name->num_outside}, {"passes_bar", passes_bar(*name)}};
    }
    return entry;
  }

  at::Tensor step() const { return direction_.direction * movement_.square().mean().sqrt(); }

 private:
  float at(int64_t row) const { return movement_.const_data_ptr<float>()[row]; }

  std::vector<std::string> lens(const at::Tensor& direction) const { return lens_tokens(in_.base, in_.tokenizer, direction); }

  double largest_in(const std::vector<int64_t>& rows) const {
    double largest = 0.0;
    for (const int64_t row : rows) largest = std::max(largest, static_cast<double>(at(row)));
    return largest;
  }

  Json categories() const {
    std::map<std::string, std::vector<int64_t>> rows_by_category;
    for (const auto& [text, rows] : rows_of_) {
      auto& all = rows_by_category[in_.texts[static_cast<size_t>(text)].category];
      all.insert(all.end(), rows.begin(), rows.end());
    }
    std::vector<std::pair<double, Json>> uses;
    for (const auto& [category, rows] : rows_by_category) {
      at::Tensor chosen = at::zeros({movement_.size(0)}, at::kBool);
      chosen.index_fill_(0, at::tensor(at::ArrayRef<int64_t>(rows), at::kLong), true);
      const DirectionUse use = use_of_direction(in_.rows, direction_.direction, chosen);
      uses.emplace_back(use.target - use.base, Json{{"category", category}, {"base", use.base}, {"target", use.target}});
    }
    std::stable_sort(uses.begin(), uses.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    Json listed = Json::array();
    for (size_t i = 0; i < std::min(uses.size(), kCategoriesListed); ++i) listed.push_back(uses[i].second);
    return listed;
  }

  // The texts on which the target moves furthest along the direction, one of each category.
  Json examples() const {
    std::vector<std::pair<double, int64_t>> order;
    for (const auto& [text, rows] : rows_of_) order.emplace_back(-largest_in(rows), text);
    std::sort(order.begin(), order.end());
    Json listed = Json::array();
    std::set<std::string> seen;
    for (const auto& [negative, text] : order) {
      if (listed.size() == kExamples || negative >= 0.0) break;
      const std::string& category = in_.texts[static_cast<size_t>(text)].category;
      if (!seen.insert(category).second) continue;
      listed.push_back({{"category", category}, {"model", "target"}, {"tokens", tokens_around_peak(text, -order.front().first)}});
    }
    return listed;
  }

  Json tokens_around_peak(int64_t text, double scale) const {
    const std::vector<int64_t>& rows = rows_of_.at(text);
    const int64_t peak = *std::max_element(rows.begin(), rows.end(), [&](int64_t a, int64_t b) { return at(a) < at(b); });
    const int64_t centre = in_.rows.position[static_cast<size_t>(peak)];
    const TokenIds& ids = in_.texts[static_cast<size_t>(text)].ids;
    Json tokens = Json::array();
    for (const int64_t row : rows) {
      const int64_t position = in_.rows.position[static_cast<size_t>(row)];
      if (std::abs(position - centre) > kTokensAround) continue;
      const double value = std::clamp(at(row) / scale, 0.0, 1.0);
      tokens.push_back({{"text", in_.tokenizer.token_text(ids[static_cast<size_t>(position)])}, {"value", value}});
    }
    return tokens;
  }

  // Every second text of a category is held out.
  std::optional<ScoredName> scored_name() const {
    std::map<std::string, int64_t> seen;
    std::vector<TextActivation> fit, held_out;
    for (const auto& [text, rows] : rows_of_) {
      const std::string& category = in_.texts[static_cast<size_t>(text)].category;
      (seen[category]++ % 2 == 0 ? fit : held_out).push_back({category, largest_in(rows)});
    }
    return best_category_name(fit, held_out, in_.hypotheses, in_.seed);
  }

  const DirectionInputs& in_;
  const DifferenceDirection& direction_;
  at::Tensor movement_;                              // [n]
  std::map<int64_t, std::vector<int64_t>> rows_of_;  // by text, without the tokens that all texts begin with
};

}  // namespace

std::vector<DirectionEntry> direction_entries(const DirectionInputs& inputs) {
  std::vector<DifferenceDirection> directions = difference_directions(inputs.rows, kDirectionsPerLayer);
  if (const auto mean = mean_difference_direction(inputs.rows)) directions.push_back(*mean);
  std::vector<DirectionEntry> entries;
  for (const DifferenceDirection& direction : directions) {
    const DirectionView view(inputs, direction);
    entries.push_back({view.document(), view.step()});
  }
  return entries;
}

}  // namespace fi
