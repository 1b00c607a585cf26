#include "fi/compare/dictionary_stage.h"

#include <set>

#include "fi/capture/text_file.h"
#include "fi/compare/budget.h"
#include "fi/compare/explainer.h"
#include "fi/compare/latents.h"
#include "fi/compare/models.h"
#include "fi/compare/name_hypotheses.h"
#include "fi/compare/other_seeds.h"
#include "fi/compare/quality_words.h"
#include "fi/compare/row_stores.h"
#include "fi/compare/run_files.h"
#include "fi/compare/splice_dictionary.h"
#include "fi/core/error.h"
#include "fi/core/hash.h"
#include "fi/dictionary/canonical_file.h"
#include "fi/dictionary/layers_side_by_side.h"
#include "fi/io/atomic_file.h"
#include "fi/training/train_dictionary.h"

namespace fi {
namespace {

namespace fs = std::filesystem;

// Latents are classed on rows that training has not seen: a quarter of them, so that many latents fire often enough there.
constexpr double kHeldOut = 0.25;
constexpr int64_t kMinFirings = 50;
// Of latents.json. Raised when a report needs what earlier versions did not write: latents are then looked at again.
constexpr int64_t kLatentsFormat = 2;

Json read_json(const fs::path& path) { return parse_json(read_file(path, "crosscoder"), "crosscoder", path.string()); }

void write_json(const fs::path& path, const Json& document) { write_file_atomically(path, to_pretty_json(document)); }

// Of every byte that training reads.
std::string fingerprint_of(const fs::path& store) {
  std::string sums;
  std::set<fs::path> files;
  for (const auto& entry : fs::directory_iterator(store)) files.insert(entry.path());
  for (const fs::path& file : files)
    sums += fmt::format("{} {:016x}\n", file.filename().string(), xxh3_of_bytes(read_file(file, "crosscoder")));
  return fmt::format("{:016x}", xxh3_of_bytes(sums));
}

fs::path dictionary_folder(const fs::path& features, const LayerGroup& layers) {
  return features / kCrosscoderFolder / layers_folder(layers);
}

TrainingConfig training_for(const CompareOptions& options) {
  const Budget budget = budget_of(options);
  TrainingConfig config = usual_config(budget.crosscoder_latents, budget.crosscoder_k, budget.crosscoder_steps);
  config.batch_size = budget.crosscoder_batch;
  config.seed = static_cast<uint64_t>(options.seed);
  return config;
}

/// Both models, loaded when the first dictionary needs them.
struct Reader {
  const CompareOptions& options;
  const fs::path& activations;
  ProgressSink& progress;
  std::optional<BothModels> models;
  std::optional<NameSources> names;
  OptionalExplainer chat;

  void load() {
    if (models) return;
    models = load_both(options, progress);
    chat = explainer_for(options, models->base, models->target, progress);
    names.emplace(options.prompts.empty() ? builtin_prompts() : load_prompts(options.prompts), options,
                  located_changes(read_json(activations / kLocalisationFile)));
  }
};

std::vector<bool> latents_alive(const FeatureTable& table) {
  std::vector<bool> alive;
  for (const Feature& feature : table.features) alive.push_back(feature.num_firings > 0);
  return alive;
}

Json latents_document(const ActivationStore& store, const RowStore& place, const Crosscoder& crosscoder,
                      const LayersSideBySide& sides, const DictionaryReport& quality, const FeatureTable& table,
                      const SeedStability& stability, const Reader& reader) {
  const std::optional<SpliceReport> splice =
      splice_dictionary({place.folder, store, crosscoder, quality, place.layers, static_cast<uint64_t>(reader.options.seed)},
                        reader.models->base.decoder, reader.models->target.decoder, reader.progress);
  const std::vector<int64_t> shown = latents_to_show(table);
  const Tokenizer& tokenizer = *reader.models->base.tokenizer;
  const std::vector<TracedText> texts = read_texts(place.folder);
  const std::vector<ReadAnswer> answers = reader.names->read_answers(texts, tokenizer);
  RowReader row_reader(
      reader.models->base.decoder, reader.models->target.decoder, place.layers,
      [&](int32_t id) { return tokenizer.is_special(id); }, shared_prefix(texts));
  const LatentReader latent_reader{row_reader, sides, store.info()};
  const LatentInputs inputs{
      sides,
      store,
      table,
      quality.num_training_rows,
      place.last_layer(),
      stability,
      reader.models->base.decoder,
      tokenizer,
      &reader.models->target,
      answers,
      {*reader.names, reader.chat.explainer.get(), static_cast<uint64_t>(reader.options.seed)},
      texts,
      store.info().target_tokenizer.empty() ? &latent_reader : nullptr};  // a token is put into the base's ids alone
  Json document = {{"format", kLatentsFormat},
                   {"layer", place.last_layer()},
                   {"layers", group_text(place.layers)},
                   {"quality", fields_to_json(quality)},
                   {"spliced", value_to_json(splice)},
                   {"classes", counts_by_class(table)},
                   {"min_firings", kMinFirings},
                   {"norm_share_bins", norm_share_bins(table)},
                   {"rows_dropped",
                    {{"position 0", store.info().num_masked_first},
                     {"special tokens", store.info().num_masked_special},
                     {"what texts begin with alike", store.info().num_masked_repeated},
                     {"no token of the target's own that ends there", store.info().num_masked_unaligned},
                     {"norm outliers", store.info().num_masked_outliers}}},
                   {"features", latent_documents(inputs, shown)}};
  if (const std::string name = explainer_name(reader.options); !name.empty()) document["explainer"] = name;
  if (stability.num_seeds == 1) return document;
  document["num_seeds"] = stability.num_seeds;
  document["stability"] = stability_words(stability, latents_alive(table));
  return document;
}

void train_layer(const RowStore& place, const fs::path& folder, bool resume, Reader& reader) {
  const ActivationStore store = ActivationStore::open(place.folder);
  const DictionaryOptions options{.training = training_for(reader.options), .held_out = kHeldOut, .resume = resume};
  const DictionaryReport quality = resume && fs::is_regular_file(folder / kQualityFile)
                                       ? load_dictionary_report(folder)
                                       : train_dictionary(store, folder, options, reader.progress);
  fs::remove_all(folder / "checkpoints");  // three times the dictionary's size, and of no use any more
  const SeedStability stability = train_other_seeds(store, folder, options, reader.options.seeds, reader.progress);
  reader.load();
  const Crosscoder crosscoder = load_crosscoder(folder);
  const bool one_space = has_one_space(store.info());
  const LayersSideBySide sides(crosscoder, store, one_space);
  const RowRange held_out(sides.rows(), quality.num_training_rows, quality.crosscoder.num_rows);
  const FeatureTable table = find_features(sides.crosscoder(), held_out, row_labels(store, quality.num_training_rows),
                                           {.min_firings = kMinFirings, .has_one_space = one_space}, reader.progress);
  write_file_atomically(folder / kClassesFile, fields_to_json(table).dump());
  write_json(folder / kLatentsFile, latents_document(store, place, crosscoder, sides, quality, table, stability, reader));
}

// Whether latents.json is there, of this version, says of so many seeds what they have in common, and has that chat model's
// words.
bool has_latents_of(const fs::path& folder, const CompareOptions& options) {
  if (!fs::is_regular_file(folder / kLatentsFile)) return false;
  const Json latents = read_json(folder / kLatentsFile);
  return latents.value("format", int64_t{1}) == kLatentsFormat && latents.value("num_seeds", int64_t{1}) == options.seeds &&
         latents.value("explainer", "") == explainer_name(options);
}

}  // namespace

void train_dictionaries(const CompareOptions& options, const fs::path& activations, const fs::path& features, bool reuse,
                        ProgressSink& progress) {
  const std::vector<RowStore> stores = find_row_stores(activations);
  Reader reader{.options = options, .activations = activations, .progress = progress};
  for (const RowStore& place : stores) {
    const fs::path folder = dictionary_folder(features, place.layers);
    const Json identity = {{"rows", fingerprint_of(place.folder)}, {"training", fields_to_json(training_for(options))}};
    const fs::path identity_path = folder / kIdentityFile;
    const bool is_same = reuse && fs::is_regular_file(identity_path) && read_json(identity_path) == identity;
    if (is_same && has_latents_of(folder, options)) continue;
    if (!is_same) fs::remove_all(folder);
    write_json(identity_path, identity);
    train_layer(place, folder, is_same, reader);
  }
}

std::vector<Json> read_dictionaries(const fs::path& activations, const fs::path& features) {
  std::vector<Json> documents;
  for (const RowStore& place : find_row_stores(activations)) {
    const fs::path folder = dictionary_folder(features, place.layers);
    if (!fs::is_regular_file(folder / kLatentsFile)) continue;
    if (read_json(folder / kIdentityFile).value("rows", "") == fingerprint_of(place.folder))
      documents.push_back(read_json(folder / kLatentsFile));
  }
  return documents;
}

Json dictionary_notes(const Json& latents) {
  const Json &quality = latents.at("quality"), &crosscoder = quality.at("crosscoder"), &classes = latents.at("classes");
  std::vector<std::string> counts;
  for (const auto& [kind, count] : classes.items()) counts.push_back(fmt::format("{} {}", count.get<int64_t>(), kind));
  Json settings = {{"size", fmt::format("{} latents, k {}, {} steps on {} rows", quality.at("num_latents").get<int64_t>(),
                                        quality.at("k").get<int64_t>(), quality.at("num_steps").get<int64_t>(),
                                        quality.at("num_training_rows").get<int64_t>())},
                   {"variance explained on held-out rows", explained_words(crosscoder)},
                   {"by PCA of rank k", explained_words(quality.at("pca"))},
                   {"by a random dictionary of this size", explained_words(quality.at("random"))},
                   {"held-out rows", crosscoder.at("num_rows")},
                   {"latents a row", fmt::format("{:.1f}", crosscoder.at("l0").get<double>())},
                   {"share of latents dead, dense", fmt::format("{:.3f}, {:.3f}", crosscoder.at("dead_share").get<double>(),
                                                                crosscoder.at("dense_share").get<double>())},
                   {"latents by class", fmt::format("{}", fmt::join(counts, ", "))}};
  if (const std::string layers = latents.value("layers", ""); layers.find('+') != std::string::npos)
    settings["layers read together"] = layers;
  if (latents.contains("stability")) settings["latents in every seed"] = latents["stability"];
  settings.update(splice_notes(latents.value("spliced", Json())));
  const Json not_seen = {
      {"variance not explained", fmt::format("{:.3f}", 1.0 - crosscoder.at("explained").get<double>())},
      {"latents that never fired on held-out rows", classes.at("dead")},
      {fmt::format("latents with fewer than {} firings there, or whose direction was not borne out, without a class",
                   latents.at("min_firings").get<int64_t>()),
       classes.at("undecided")},
      {"rows dropped", latents.at("rows_dropped")}};
  return {{"settings", settings}, {"not_seen", not_seen}};
}

}  // namespace fi
