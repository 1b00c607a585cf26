#include "fi/compare/baseline_stage.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "fi/activations/activation_store.h"
#include "fi/compare/baselines_sentence.h"
#include "fi/compare/budget.h"
#include "fi/compare/crosscoder_rows.h"
#include "fi/compare/locate.h"
#include "fi/compare/row_stores.h"
#include "fi/compare/run_files.h"
#include "fi/core/error.h"
#include "fi/core/hash.h"
#include "fi/dictionary/canonical_file.h"
#include "fi/dictionary/crosscoder.h"
#include "fi/intervene/baseline_race.h"
#include "fi/intervene/causal_tests.h"
#include "fi/io/atomic_file.h"
#include "fi/io/jsonl.h"
#include "fi/training/train_crosscoder.h"

namespace fi {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kRanks[] = {1, 4, 32};  // at which methods with many directions run
constexpr int64_t kScalingRows = 8192;
constexpr int64_t kLensRows = 5;  // first tokens of a plain text that the activation difference lens reads

Json read_document(const fs::path& path) { return parse_json(read_file(path, "baselines"), "baselines", path.string()); }

/// The strongest change that was located, as localisation.json has it.
struct LocatedChange {
  std::set<std::string> categories;
  int64_t layer = 0;
};

std::optional<LocatedChange> strongest_change(const fs::path& activations) {
  const fs::path path = activations / kLocalisationFile;
  if (!fs::is_regular_file(path)) return std::nullopt;
  const Json places = read_document(path);
  if (places.empty()) return std::nullopt;
  return LocatedChange{places.front().at("categories").get<std::set<std::string>>(), places.front().at("causal").at("layer")};
}

fs::path dictionary_at(const fs::path& features, int64_t layer) { return features / kCrosscoderFolder / layers_folder({layer}); }

bool has_dictionary(const fs::path& folder) { return fs::is_regular_file(folder / kLatentsFile); }

constexpr int kContestants = 2;  // another number for other methods: a race of earlier ones is run again

// Of the methods, of the answers, of what was located in them, and of the dictionary that takes part.
std::string identity_of(const fs::path& activations, const fs::path& features, const LocatedChange& change) {
  std::string text = std::to_string(kContestants) + read_file(activations / kAnswersFile, "baselines") +
                     read_file(activations / kLocalisationFile, "baselines");
  const fs::path dictionary = dictionary_at(features, change.layer);
  if (has_dictionary(dictionary)) text += read_file(dictionary / kIdentityFile, "baselines");
  return fmt::format("{:016x}", xxh3_of_bytes(text));
}

/// Prompts of the change and others, as texts: `fit` of its discovery prompts, `plain` of others' bare words, the rest to test
/// on.
struct StageTexts {
  std::vector<TracedText> fit, plain;
  RaceTexts test;
};

StageTexts stage_texts(const fs::path& activations, const LocatedChange& change, const Tokenizer& tokenizer, int64_t count) {
  StageTexts texts;
  for (const Json& row : read_jsonl(activations / kAnswersFile, "baselines")) {
    const AnswerPair pair = answer_pair_from_json(row, kAnswersFile);
    const bool inside = change.categories.contains(pair.category), fits = pair.split == Split::kDiscovery;
    if (!inside && !fits) continue;
    auto& list = !inside ? texts.test.elsewhere : fits ? texts.fit : texts.test.trigger;
    list.push_back(traced_text(tokenizer, pair, inside ? pair.target : pair.base));
    const TokenIds plain = tokenizer.encode(pair.prompt, /*add_special=*/true).ids;
    if (!inside && plain.size() > 1) texts.plain.push_back({.ids = plain});
  }
  texts.fit = thinned(texts.fit, count);
  texts.plain = thinned(texts.plain, count);
  texts.test = {thinned(texts.test.trigger, count), thinned(texts.test.elsewhere, count)};
  return texts;
}

/// Rows of both models after the layer.
struct FitRows {
  at::Tensor base, target;  // [n, d_model]
};

FitRows rows_after_layer(const BothModels& pair, int64_t layer, const PackedBatch& batch, const at::Tensor& chosen) {
  const at::Tensor index = chosen.to(pair.base.decoder.device());
  const auto rows = [&](const Decoder& model) { return residual_streams(model, batch, layer).back().index_select(0, index); };
  return {rows(pair.base.decoder), rows(pair.target.decoder)};
}

FitRows fit_rows(const BothModels& pair, int64_t layer, const std::vector<TracedText>& texts) {
  const PackedTexts packed = pack_texts(texts);
  return rows_after_layer(pair, layer, packed.batch, rows_near_answers(packed));
}

// At the first tokens of plain texts but the very first, whose row in many models is all norm.
FitRows lens_rows(const BothModels& pair, int64_t layer, const std::vector<TracedText>& texts) {
  if (texts.empty()) return {};
  const PackedBatch batch = pack_texts(texts).batch;
  std::vector<int64_t> rows;
  for (size_t i = 0; i + 1 < batch.starts.size(); ++i) {
    const int64_t end = std::min(batch.starts[i + 1], batch.starts[i] + 1 + kLensRows);
    for (int64_t row = batch.starts[i] + 1; row < end; ++row) rows.push_back(row);
  }
  return rows_after_layer(pair, layer, batch, at::tensor(at::ArrayRef<int64_t>(rows), at::kLong));
}

/// A BatchTopK SAE on the difference of a store's rows: of the crosscoder's size and k, in half of its steps, as its
/// rows are half as wide.
Crosscoder train_on_difference(const ActivationStore& store, const CompareOptions& options, ProgressSink& progress) {
  const Budget budget = budget_of(options);
  const at::Tensor sample =
      view_rows(RowView::kDifference, read_rows(store, 0, std::min(store.num_rows(), kScalingRows)));  // [n, 1, d_model]
  RowScaling scaling{.mean = sample.mean(0), .scale = at::ones({1})};
  const double rms = (sample - scaling.mean).square().mean().sqrt().item<double>();
  if (rms > 0.0) scaling.scale /= rms;
  TrainingConfig config =
      usual_config(budget.crosscoder_latents, budget.crosscoder_k, std::max<int64_t>(1, budget.crosscoder_steps / 2));
  config.batch_size = budget.crosscoder_batch;
  config.seed = static_cast<uint64_t>(options.seed);
  progress.note("an SAE on the difference, for the race of methods");
  return train_crosscoder(config, store, scaling, {.view = RowView::kDifference}, progress);
}

// Columns that span the rows of `directions` [n, d_model].
Subspace span_of(const at::Tensor& directions) {
  return {std::get<0>(at::linalg_qr(directions.t().to(at::kDouble))).to(at::kFloat).contiguous()};
}

/// What each latent adds to the target beyond what it adds to the base, by how much of the rows' difference that makes, most
/// first: [num_latents, d_model] in raw space.
at::Tensor latent_directions(const Crosscoder& dictionary, const FitRows& rows) {
  const at::Tensor codes = encode(dictionary, view_rows(dictionary.view, at::stack({rows.base, rows.target}, 1).cpu()));
  const at::Tensor vectors = dictionary.decoder / dictionary.scaling.scale.view({-1, 1, 1});
  const at::Tensor directions = dictionary.view == RowView::kDifference ? vectors[0] : vectors[1] - vectors[0];
  const at::Tensor weight = codes.square().sum(0) * directions.square().sum(1);
  return directions.index_select(0, weight.argsort(/*dim=*/0, /*descending=*/true));
}

/// What was trained on the rows of the layer; absent where there are no rows, or the models' rows do not subtract.
struct Dictionaries {
  std::optional<Crosscoder> crosscoder, difference;
};

Dictionaries dictionaries_at(const CompareOptions& options, const fs::path& activations, const fs::path& features, int64_t layer,
                             int64_t width, ProgressSink& progress) {
  Dictionaries dictionaries;
  const fs::path folder = dictionary_at(features, layer);
  if (!has_dictionary(folder)) return dictionaries;
  const Crosscoder crosscoder = load_crosscoder(folder);
  if (crosscoder.view != RowView::kModels || crosscoder.num_models() != 2 || crosscoder.d_model() != width) return dictionaries;
  dictionaries.crosscoder = crosscoder;
  dictionaries.difference = train_on_difference(ActivationStore::open(row_store_folder(activations, {layer})), options, progress);
  return dictionaries;
}

void add_latents(std::vector<Contestant>& all, const char* method, const std::optional<Crosscoder>& dictionary,
                 const FitRows& rows) {
  if (!dictionary) return;
  const at::Tensor latents = latent_directions(*dictionary, rows);
  for (const int64_t rank : kRanks)
    all.push_back({method, span_of(latents.narrow(0, 0, std::min({rank, latents.size(0), latents.size(1)})))});
}

std::vector<Contestant> contestants_for(const FitRows& rows, const FitRows& lens, const Dictionaries& dictionaries,
                                        uint64_t seed) {
  const at::Tensor difference = rows.target - rows.base;
  const int64_t width = difference.size(1);
  std::vector<Contestant> all{{"difference in means", span_of(difference.mean(0, /*keepdim=*/true))}};
  if (lens.base.defined())
    all.push_back({"activation difference lens", span_of((lens.target - lens.base).mean(0, /*keepdim=*/true))});
  for (const int64_t rank : kRanks) all.push_back({"PCA of the difference", leading_subspace(difference, rank)});
  add_latents(all, "difference SAE latents", dictionaries.difference, rows);
  add_latents(all, "crosscoder latents", dictionaries.crosscoder, rows);
  all.push_back({"random subspace", random_subspace(width, kRanks[2], seed, /*stream=*/0)});
  all.push_back({"whole residual stream", {at::eye(width)}});
  for (Contestant& contestant : all) contestant.subspace.basis = contestant.subspace.basis.to(difference.device());
  return all;
}

Json to_document(const RaceRow& row) {
  return {{"method", row.method},
          {"num_directions", row.num_directions},
          {"kl_removed", row.kl_removed},
          {"ci_low", row.interval.low},
          {"ci_high", row.interval.high},
          {"kl_per_direction", row.kl_per_direction()},
          {"discrimination", row.discrimination}};
}

}  // namespace

void race_baselines(const CompareOptions& options, const fs::path& activations, const fs::path& features, bool reuse,
                    ProgressSink& progress) {
  const fs::path path = features / kBaselinesFile;
  const auto change = strongest_change(activations);
  if (!change) {
    fs::remove(path);
    return;
  }
  const std::string identity = identity_of(activations, features, *change);
  if (reuse && fs::is_regular_file(path) && read_document(path).value("identity", "") == identity) return;
  const BothModels pair = load_both(options, progress);
  const StageTexts texts = stage_texts(activations, *change, *pair.base.tokenizer, budget_of(options).texts_per_causal_test);
  Json rows = Json::array();
  if (!texts.fit.empty() && !texts.test.trigger.empty()) {
    const auto seed = static_cast<uint64_t>(options.seed);
    const Dictionaries dictionaries =
        dictionaries_at(options, activations, features, change->layer, pair.base.decoder.config().d_model, progress);
    const auto contestants = contestants_for(fit_rows(pair, change->layer, texts.fit),
                                             lens_rows(pair, change->layer, texts.plain), dictionaries, seed);
    for (const RaceRow& row :
         race_subspaces(pair.base.decoder, pair.target.decoder, change->layer, contestants, texts.test, seed, progress))
      rows.push_back(to_document(row));
  }
  write_file_atomically(path, to_pretty_json({{"identity", identity}, {"layer", change->layer}, {"rows", rows}}));
}

std::optional<BaselinesRace> read_baselines(const fs::path& activations, const fs::path& features) try {
  const fs::path path = features / kBaselinesFile;
  const auto change = strongest_change(activations);
  if (!change || !fs::is_regular_file(path)) return std::nullopt;
  const Json document = read_document(path);
  if (document.value("identity", "") != identity_of(activations, features, *change) || document.at("rows").empty())
    return std::nullopt;
  BaselinesRace race{.layer = document.at("layer")};
  for (const Json& row : document.at("rows"))
    race.rows.push_back({row.at("method"), row.at("num_directions"), row.at("kl_removed"), row.at("ci_low"), row.at("ci_high"),
                         row.at("discrimination")});
  race.result = baselines_sentence(race.rows);
  return race;
} catch (const Json::exception& error) {
  fail(ErrorCode::kInvalid, "[baselines] {} is damaged: {}; run the comparison again.", (features / kBaselinesFile).string(),
       error.what());
}

}  // namespace fi
