#include "fi/compare/latents.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "fi/compare/activation_view.h"
#include "fi/compare/latent_use.h"
#include "fi/compare/logit_lens.h"

namespace fi {
namespace {

constexpr int64_t kNormShareBins = 20;

double mean_use(const Feature& feature) { return feature.mean_code * static_cast<double>(feature.num_firings); }

bool is_changed(const Feature& f) { return f.kind == "added" || f.kind == "removed" || f.kind == "modified"; }

// Of models without a common space: use_ratio is that of their own strengths.
bool is_more_the_targets(const Feature& f) { return f.kind == "added" || (f.kind != "removed" && f.use_ratio >= 1.0); }

std::vector<int64_t> strongest(std::vector<const Feature*> features, size_t most) {
  std::stable_sort(features.begin(), features.end(),
                   [](const Feature* a, const Feature* b) { return mean_use(*a) > mean_use(*b); });
  std::vector<int64_t> latents;
  for (size_t i = 0; i < std::min(most, features.size()); ++i) latents.push_back(features[i]->latent);
  return latents;
}

Json ratio_document(const Ratio& ratio) { return {{"value", ratio.value}, {"low", ratio.low}, {"high", ratio.high}}; }

/// All documents; keeps what the latents share.
class LatentView {
 public:
  LatentView(const LatentInputs& inputs, const std::vector<int64_t>& latents)
      : in_(inputs),
        latents_(latents),
        codes_(codes_of(inputs.dictionary.crosscoder(), inputs.dictionary.rows(), latents).t().contiguous()),
        reach_(reach_of_latents(inputs.dictionary.crosscoder(), inputs.dictionary.rows(), latents,
                                inputs.dictionary.has_one_space())),
        labels_(row_labels(inputs.store, inputs.first_held_out)) {
    const int64_t count = in_.store.num_rows() - in_.first_held_out;
    use_ = use_of_latents(in_.dictionary.crosscoder(), RowRange(in_.dictionary.rows(), in_.first_held_out, count),
                          labels_.categories, static_cast<int64_t>(labels_.category_names.size()), latents,
                          in_.dictionary.has_one_space());
    for (int64_t row = 0; row < in_.store.num_rows(); ++row) rows_of_[in_.store.place(row).text].push_back(row);
  }

  Json document(size_t index) const {
    const Feature& feature = in_.table.features[static_cast<size_t>(latents_[index])];
    const std::vector<ShownText> texts = shown_texts(index);
    Json entry = {{"id", fmt::format("L{}-cc-{}", in_.layer, feature.latent)},
                  {"layer", in_.layer},
                  {"engine", "crosscoder"},
                  {"kind", feature.kind},
                  {"share_of_difference", has_one_space() ? Json(use_.share_of_difference[index]) : Json()},
                  {"base_use", mean_over_rows(index, 0)},
                  {"target_use", mean_over_rows(index, 1)},
                  {"promoted", lens(feature, 1.0)},
                  {"suppressed", lens(feature, -1.0)},
                  {"categories", categories(index)},
                  {"examples", example_documents(texts, in_.tokenizer)},
                  {"measures", measures(feature)}};
    if (in_.stability.num_seeds > 1) add_stability(feature.latent, entry["measures"]);
    add_names(entry, texts, in_.tokenizer, in_.naming);
    if (in_.dictionary.num_layers() > 1) add_layers(feature.latent, entry["measures"]);
    if (in_.reader == nullptr) return entry;
    const auto largest = [&](const std::vector<TracedText>& changed) { return in_.reader->largest(changed, feature.latent); };
    add_token_cue(entry, texts, in_.texts, largest, in_.tokenizer, in_.naming.seed);
    return entry;
  }

 private:
  ShownRow shown_row(size_t index, int64_t row) const {
    const RowPlace place = in_.store.place(row);
    const auto latent = static_cast<int64_t>(index);
    const float* reach = reach_.const_data_ptr<float>() + 2 * (row * codes_.size(0) + latent);
    return {.position = place.position,
            .token = place.token,
            .value = codes_.const_data_ptr<float>()[latent * codes_.size(1) + row],
            .base = reach[0],
            .target = reach[1]};
  }
  const std::string& category_of(int64_t text) const { return in_.store.info().text_categories[static_cast<size_t>(text)]; }

  bool has_one_space() const { return in_.dictionary.has_one_space(); }

  Json measures(const Feature& f) const {
    return {{"has_one_space", has_one_space()},
            {"firing_rate", f.firing_rate},
            {"num_firings", f.num_firings},
            {"num_texts", f.num_texts},
            {"decoder_cosine", f.decoder_cosine},
            {"base_decoder_norm", f.base_norm},
            {"target_decoder_norm", f.target_norm},
            {"target_norm_share", f.target_norm_share},
            {"use_ratio", f.use_ratio},
            {"nu_error_base", ratio_document(f.nu_error_base)},
            {"nu_error_target", ratio_document(f.nu_error_target)},
            {"nu_reconstruction_base", f.nu_reconstruction_base},
            {"nu_reconstruction_target", f.nu_reconstruction_target},
            {"twin", f.twin >= 0 ? Json(f.twin) : Json()}};
  }

  void add_stability(int64_t latent, Json& measures) const {
    const auto at = static_cast<size_t>(latent);
    measures["seeds"] = in_.stability.num_seeds;
    measures["found_in_seeds"] = in_.stability.found[at];
    for (const auto& cosines : in_.stability.cosines) measures["seed_cosines"].push_back(cosines[at]);
  }

  // What the latent's vector in the model that has it, times `sign`, does to the next token: in the last of its layers, which is
  // what the unembedding reads.
  std::vector<std::string> lens(const Feature& feature, double sign) const {
    const Crosscoder& c = in_.dictionary.crosscoder();
    const bool is_target = has_one_space() ? stronger_model(c, feature.latent) == 1 : is_more_the_targets(feature);
    const bool is_the_targets_own = is_target && !has_one_space();
    if (is_the_targets_own && in_.target == nullptr) return {};
    const Decoder& model = is_the_targets_own ? in_.target->decoder : in_.base;
    const Tokenizer& tokenizer = is_the_targets_own ? *in_.target->tokenizer : in_.tokenizer;
    const at::Tensor vector = unit_vector(c, is_target ? 1 : 0, feature.latent).view({in_.dictionary.num_layers(), -1})[-1];
    const at::Tensor part = vector.narrow(0, 0, model.config().d_model);
    return lens_tokens(model, tokenizer, part * (sign / part.norm().clamp_min(1e-30).item<double>()));
  }

  // How its vectors are spread over the layers, in order.
  void add_layers(int64_t latent, Json& measures) const {
    const at::Tensor shares = norm_shares_by_layer(in_.dictionary, latent);
    for (int64_t layer = 0; layer < shares.size(1); ++layer) {
      measures["base_norm_by_layer"].push_back(shares[0][layer].item<double>());
      measures["target_norm_by_layer"].push_back(shares[1][layer].item<double>());
    }
  }

  double mean_over_rows(size_t index, int64_t model) const {
    const double sum = use_.strength[static_cast<int64_t>(index)].select(1, model).sum().item<double>();
    return std::max(0.0, sum / static_cast<double>(labels_.texts.size()));
  }

  Json categories(size_t index) const {
    std::vector<UseInCategory> uses;
    for (size_t c = 0; c < labels_.category_names.size(); ++c) {
      const double rows = use_.rows_by_category[c];
      if (rows == 0.0) continue;
      const at::Tensor sums = use_.strength[static_cast<int64_t>(index)][static_cast<int64_t>(c)];
      const double base = std::max(0.0, sums[0].item<double>() / rows), target = std::max(0.0, sums[1].item<double>() / rows);
      uses.push_back({labels_.category_names[c], base, target, std::max(base, target)});
    }
    return category_documents(std::move(uses));
  }

  std::vector<ShownText> shown_texts(size_t index) const {
    std::vector<ShownText> texts;
    for (const auto& [text, rows] : rows_of_) {
      const ReadAnswer* answer = in_.answers.empty() ? nullptr : &in_.answers.at(static_cast<size_t>(text));
      ShownText& shown = texts.emplace_back(ShownText{.category = category_of(text), .rows = {}, .answer = answer, .text = text});
      for (const int64_t row : rows) shown.rows.push_back(shown_row(index, row));
    }
    return texts;
  }

  const LatentInputs& in_;
  const std::vector<int64_t>& latents_;
  at::Tensor codes_;  // [num_latents, num_rows] scaled
  at::Tensor reach_;  // [num_rows, num_latents, 2]
  RowLabels labels_;  // of the held-out rows
  LatentUse use_;
  std::map<int64_t, std::vector<int64_t>> rows_of_;  // by text
};

}  // namespace

RowLabels row_labels(const ActivationStore& store, int64_t first) {
  RowLabels labels;
  std::map<std::string, int32_t> numbers;
  for (const std::string& category : store.info().text_categories) numbers.try_emplace(category, 0);
  for (auto& [category, number] : numbers) {
    number = static_cast<int32_t>(labels.category_names.size());
    labels.category_names.push_back(category);
  }
  for (int64_t row = first; row < store.num_rows(); ++row) {
    const RowPlace place = store.place(row);
    labels.texts.push_back(place.text);
    labels.categories.push_back(numbers.at(store.info().text_categories.at(static_cast<size_t>(place.text))));
  }
  return labels;
}

Json counts_by_class(const FeatureTable& table) {
  std::map<std::string, int64_t> counts;
  for (const char* kind : {"added", "removed", "modified", "shared", "undecided", "dead"}) counts[kind] = 0;
  for (const Feature& feature : table.features) ++counts[feature.kind];
  return counts;
}

std::vector<int64_t> norm_share_bins(const FeatureTable& table) {
  std::vector<int64_t> bins(kNormShareBins);
  for (const Feature& feature : table.features) {
    if (feature.num_firings == 0) continue;
    const auto bin = static_cast<int64_t>(feature.target_norm_share * static_cast<double>(kNormShareBins));
    ++bins[static_cast<size_t>(std::clamp<int64_t>(bin, 0, kNormShareBins - 1))];
  }
  return bins;
}

std::vector<int64_t> latents_to_show(const FeatureTable& table, size_t max_changed, size_t num_shared) {
  std::vector<const Feature*> changed, shared;
  for (const Feature& feature : table.features) {
    if (is_changed(feature)) changed.push_back(&feature);
    if (feature.kind == "shared") shared.push_back(&feature);
  }
  std::vector<int64_t> latents = strongest(std::move(changed), max_changed);
  for (const int64_t latent : strongest(std::move(shared), num_shared)) latents.push_back(latent);
  return latents;
}

std::vector<Json> latent_documents(const LatentInputs& inputs, const std::vector<int64_t>& latents) {
  if (latents.empty()) return {};
  const LatentView view(inputs, latents);
  std::vector<Json> documents;
  for (size_t i = 0; i < latents.size(); ++i) documents.push_back(view.document(i));
  return documents;
}

}  // namespace fi
