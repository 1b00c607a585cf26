#include "fi/compare/splice_dictionary.h"

#include <cmath>

#include "fi/capture/text_file.h"

namespace fi {
namespace {

constexpr int64_t kSpliceTokens = 2048;

/// The held-out texts that are read, and the rows of theirs that the store holds.
struct HeldOutTexts {
  std::vector<TracedText> texts;
  std::vector<SplicePlace> places;
};

HeldOutTexts held_out_texts(const SpliceInputs& in) {
  const std::vector<TracedText> all = read_texts(in.store_folder);
  const int64_t first_row = in.quality.num_training_rows, first_text = in.store.place(first_row).text;
  HeldOutTexts result;
  int64_t tokens = 0;
  for (auto i = static_cast<size_t>(first_text); i < all.size() && tokens < kSpliceTokens; ++i) {
    result.texts.push_back(all[i]);
    tokens += static_cast<int64_t>(all[i].ids.size());
  }
  const auto num_texts = static_cast<int64_t>(result.texts.size());
  for (int64_t row = first_row; row < in.store.num_rows(); ++row) {
    const RowPlace place = in.store.place(row);
    if (place.text - first_text >= num_texts) break;
    result.places.push_back({.text = place.text - first_text, .position = place.position});
  }
  return result;
}

RowReplacement reconstruction_of(const Crosscoder& c) {
  return [&c](const at::Tensor& rows) { return decode(c, encode(c, rows)); };
}

const Json* effect_of(const Json& splice, const std::string& name) {
  if (!splice.is_object()) return nullptr;
  for (const Json& replacement : splice.at("replacements")) {
    if (replacement.at("name") == name) return &replacement;
  }
  return nullptr;
}

// A share of nothing is NaN, and null in a file.
std::string number_text(const Json& value) {
  const double number = value.is_number() ? value.get<double>() : std::nan("");
  return std::isfinite(number) ? fmt::format("{:.3f}", number) : "-";
}

std::string both_models(const Json& splice, const std::string& name, const char* key) {
  const Json* effect = effect_of(splice, name);
  if (effect == nullptr) return "";
  return fmt::format("base {}, target {}", number_text(effect->at("base").at(key)), number_text(effect->at("target").at(key)));
}

}  // namespace

std::optional<SpliceReport> splice_dictionary(const SpliceInputs& in, const Decoder& base, const Decoder& target,
                                              ProgressSink& progress) {
  if (!std::filesystem::is_regular_file(in.store_folder / kTextsFile)) return std::nullopt;
  const HeldOutTexts held_out = held_out_texts(in);
  const RowRange training(in.store, 0, in.quality.num_training_rows);
  const BaselineDictionaries baselines =
      fit_baselines(training, in.crosscoder.scaling, {.num_latents = in.quality.num_latents, .k = in.quality.k, .seed = in.seed});
  const SpliceReport report = splice_quality(base, target, held_out.texts, held_out.places,
                                             {{"crosscoder", reconstruction_of(in.crosscoder)},
                                              {"pca", reconstruction_of(baselines.pca)},
                                              {"random", reconstruction_of(baselines.random)}},
                                             {.layers = in.layers, .mean = in.store.mean()}, progress);
  return report.num_answers > 0 ? std::optional(report) : std::nullopt;
}

std::string recovered_text(const Json& splice, const std::string& name) { return both_models(splice, name, "loss_recovered"); }

std::string kl_text(const Json& splice, const std::string& name) { return both_models(splice, name, "kl"); }

Json splice_notes(const Json& splice) {
  if (!splice.is_object()) return Json::object();
  const auto share_and_kl = [&](const char* name) {
    return fmt::format("loss recovered: {}; KL: {}", recovered_text(splice, name), kl_text(splice, name));
  };
  return {{"spliced into the models", share_and_kl("crosscoder")},
          {"spliced in: PCA of rank k", share_and_kl("pca")},
          {"spliced in: a random dictionary of this size", share_and_kl("random")},
          {"spliced in: each model's mean row", share_and_kl("mean")},
          {"spliced in: answer tokens predicted, rows replaced",
           fmt::format("{}, {}", splice.at("num_answers").get<int64_t>(), splice.at("num_rows").get<int64_t>())}};
}

}  // namespace fi
