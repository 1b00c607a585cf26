#include "fi/compare/directions.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "fi/compare/activation_view.h"
#include "fi/compare/logit_lens.h"
#include "fi/diff/difference_directions.h"

namespace fi {
namespace {

constexpr int64_t kDirectionsPerLayer = 4;

/// One direction, with the movement of every row along it.
class DirectionView {
 public:
  DirectionView(const DirectionInputs& inputs, const DifferenceDirection& direction)
      : in_(inputs),
        direction_(direction),
        movement_(movement_along(inputs.rows, direction.direction)),
        places_(places_along(inputs.rows, direction.direction)) {
    const int64_t shared = shared_prefix(in_.reader.texts);
    for (size_t i = 0; i < in_.rows.text.size(); ++i) {
      if (in_.rows.position[i] >= shared) rows_of_[in_.rows.text[i]].push_back(static_cast<int64_t>(i));
    }
  }

  Json document() const {
    const DirectionUse use = use_of_direction(places_, at::ones({places_.size(0)}, at::kBool));
    const std::vector<ShownText> texts = shown_texts();
    Json entry = {{"id", fmt::format("L{}-{}", direction_.layer, direction_.label)},
                  {"layer", direction_.layer},
                  {"engine", direction_.label == "mean" ? "difference in means" : "difference PCA"},
                  {"share_of_difference", direction_.share_of_difference},
                  {"base_use", use.base},
                  {"target_use", use.target},
                  {"promoted", lens(direction_.direction)},
                  {"suppressed", lens(direction_.direction.neg())},
                  {"categories", categories()},
                  {"examples", example_documents(texts, in_.tokenizer)}};
    add_names(entry, texts, in_.tokenizer, in_.naming);
    const auto values_of = [&](const PairedRows& rows) { return movement_along(rows, direction_.direction); };
    const auto largest = [&](const std::vector<TracedText>& changed) {
      return in_.reader.largest(changed, direction_.layer, values_of);
    };
    add_token_cue(entry, texts, in_.reader.texts, largest, in_.tokenizer, in_.naming.seed);
    return entry;
  }

  at::Tensor step() const { return direction_.direction * movement_.square().mean().sqrt(); }

 private:
  std::vector<std::string> lens(const at::Tensor& direction) const {
    return lens_tokens(in_.reader.base, in_.tokenizer, direction);
  }

  Json categories() const {
    std::map<std::string, std::vector<int64_t>> rows_by_category;
    for (const auto& [text, rows] : rows_of_) {
      auto& all = rows_by_category[in_.reader.texts[static_cast<size_t>(text)].category];
      all.insert(all.end(), rows.begin(), rows.end());
    }
    std::vector<UseInCategory> uses;
    for (const auto& [category, rows] : rows_by_category) {
      at::Tensor chosen = at::zeros({places_.size(0)}, at::kBool);
      chosen.index_fill_(0, at::tensor(at::ArrayRef<int64_t>(rows), at::kLong), true);
      const DirectionUse use = use_of_direction(places_, chosen);
      uses.push_back({category, use.base, use.target, use.target - use.base});
    }
    return category_documents(std::move(uses));
  }

  std::vector<ShownText> shown_texts() const {
    std::vector<ShownText> texts;
    for (const auto& [text, rows] : rows_of_) {
      const TracedText& traced = in_.reader.texts[static_cast<size_t>(text)];
      ShownText& shown = texts.emplace_back(
          ShownText{.category = traced.category, .rows = {}, .answer = &in_.answers[static_cast<size_t>(text)], .text = text});
      for (const int64_t row : rows) {
        const int64_t position = in_.rows.position[static_cast<size_t>(row)];
        const float* place = places_.const_data_ptr<float>() + 2 * row;
        shown.rows.push_back({.position = position,
                              .token = traced.ids[static_cast<size_t>(position)],
                              .value = movement_.const_data_ptr<float>()[row],
                              .base = place[0],
                              .target = place[1]});
      }
    }
    return texts;
  }

  const DirectionInputs& in_;
  const DifferenceDirection& direction_;
  at::Tensor movement_;                              // [n]
  at::Tensor places_;                                // [n, 2]
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
