#include "fi/compare/provenance.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "fi/tokenizer/token_map.h"

namespace fi {
namespace {

// Mean cosine of corresponding matrices above which one model was made from the other by further training; unrelated models have
// about 0.
constexpr double kFineTuneCosine = 0.9;
constexpr double kSiblingCosine = 0.3;

bool same_shape(const ModelConfig& a, const ModelConfig& b) {
  return a.family == b.family && a.num_layers == b.num_layers && a.d_model == b.d_model && a.d_ffn == b.d_ffn &&
         a.num_heads == b.num_heads && a.num_kv_heads == b.num_kv_heads && a.vocab_size == b.vocab_size;
}

std::string shape_text(const ModelConfig& config) {
  return fmt::format("{} layers of width {}", config.num_layers, config.d_model);
}

Provenance of_other_shapes(const ModelConfig& a, const ModelConfig& b, const Tokenizer& left, const Tokenizer& right) {
  const bool is_sibling = a.family == b.family && map_tokens(left, right).is_identity();
  if (!is_sibling) {
    return {"unrelated", fmt::format("The models differ in family, depth, width or vocabulary: {} with {}, against {} with {}.",
                                     a.family, shape_text(a), b.family, shape_text(b))};
  }
  return {"sibling",
          fmt::format("Both are {} with one vocabulary, but of different size, {} against {}: neither was made from the "
                      "other.",
                      a.family, shape_text(a), shape_text(b))};
}

double mean_cosine(const std::vector<WeightDistance>& distances) {
  double sum = 0.0;
  int64_t count = 0;
  for (const WeightDistance& distance : distances) {
    if (distance.layer < 0 || !distance.is_matrix) continue;
    sum += distance.cosine;
    ++count;
  }
  return count > 0 ? sum / static_cast<double>(count) : 0.0;
}

std::string largest_change(const std::vector<WeightDistance>& distances) {
  const auto largest = std::max_element(distances.begin(), distances.end(),
                                        [](const auto& a, const auto& b) { return a.relative_change < b.relative_change; });
  const int64_t changed = std::count_if(distances.begin(), distances.end(), [](const auto& d) { return !d.is_equal(); });
  return fmt::format("{} of {} tensors changed, most of all {} by {:.2g} of its norm", changed, distances.size(), largest->name,
                     largest->relative_change);
}

}  // namespace

bool same_files(const ModelFiles& a, const ModelFiles& b) {
  return a.weights.size() == b.weights.size() &&
         std::equal(a.weights.begin(), a.weights.end(), b.weights.begin(),
                    [](const auto& x, const auto& y) { return std::filesystem::equivalent(x, y); });
}

Provenance examine(const ModelFiles& base, const Tokenizer& base_tokenizer, const ModelFiles& target,
                   const Tokenizer& target_tokenizer, ProgressSink& progress) {
  if (target.adapter)
    return {"adapter", fmt::format("The target is the base with the adapter {} on top.", target.adapter->string())};
  const ModelSource left = open_model(base), right = open_model(target);
  if (!same_shape(left.config, right.config)) return of_other_shapes(left.config, right.config, base_tokenizer, target_tokenizer);
  const bool same_tokenizer = base_tokenizer.fingerprint() == target_tokenizer.fingerprint();
  if (same_files(base, target) && same_tokenizer) return {"identical", "Every weight of the two models is equal."};
  WeightDistances found = weight_distances(left, right, progress);
  const bool equal = found.unmatched.empty() &&
                     std::all_of(found.tensors.begin(), found.tensors.end(), [](const auto& d) { return d.is_equal(); });
  if (equal && same_tokenizer) return {"identical", "Every weight of the two models is equal.", std::move(found.tensors)};
  const double cosine = mean_cosine(found.tensors);
  const char* relation = cosine >= kFineTuneCosine ? "fine-tune" : cosine >= kSiblingCosine ? "sibling" : "unrelated";
  std::string note = fmt::format("The weight matrices have a mean cosine of {:.3f}", cosine);
  if (!found.tensors.empty()) note += "; " + largest_change(found.tensors);
  if (!found.unmatched.empty())
    note += fmt::format("; {} tensors are in one model alone, such as {}", found.unmatched.size(), found.unmatched.front());
  return {relation, note + ".", std::move(found.tensors)};
}

std::vector<WeightChangeRow> weight_changes(const Provenance& provenance) {
  std::vector<WeightChangeRow> rows;
  bool changed = false;
  for (const WeightDistance& distance : provenance.distances) {
    if (distance.layer < 0 || !distance.is_matrix) continue;
    rows.push_back({distance.layer, distance.part, distance.relative_change, distance.cosine});
    changed = changed || !distance.is_equal();
  }
  if (!changed) rows.clear();
  return rows;
}

Json to_json(const std::vector<WeightChangeRow>& rows) {
  Json list = Json::array();
  for (const WeightChangeRow& row : rows)
    list.push_back(
        {{"layer", row.layer}, {"matrix", row.matrix}, {"relative_change", row.relative_change}, {"cosine", row.cosine}});
  return list;
}

}  // namespace fi
