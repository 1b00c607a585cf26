#include "fi/training/train_dictionary.h"

#include <algorithm>

#include "fi/core/error.h"
#include "fi/dictionary/canonical_file.h"
#include "fi/dictionary/linear_baselines.h"
#include "fi/io/atomic_file.h"

namespace fi {
namespace {

// The baselines are fitted on so many rows: memory does not grow with the store.
constexpr int64_t kRowsForPca = 16384;
constexpr int64_t kRowsForRandom = 1024;

RowScaling store_scaling(const ActivationStore& store) {
  return {.mean = store.mean(), .scale = store.scale(), .widths = store.info().widths};
}

// Evenly spread over the source.
at::Tensor sample_of(const RowSource& rows, int64_t count) {
  std::vector<int64_t> indices;
  const int64_t wanted = std::min(count, rows.num_rows());
  for (int64_t i = 0; i < wanted; ++i) indices.push_back(i * rows.num_rows() / wanted);
  return rows.gather(indices);
}

DictionaryReport measure(const Crosscoder& crosscoder, const RowSource& training, const RowSource& held_out,
                         const TrainingConfig& config, ProgressSink& sink) {
  StageProgress progress(sink, "dictionary quality", 3, "dictionaries");
  DictionaryReport report{.num_latents = config.num_latents,
                          .k = config.k,
                          .num_steps = config.num_steps,
                          .num_training_rows = training.num_rows(),
                          .crosscoder = quality_of(crosscoder, held_out)};
  progress.advance(1);
  const BaselineDictionaries baselines =
      fit_baselines(training, crosscoder.scaling, {.num_latents = config.num_latents, .k = config.k, .seed = config.seed});
  report.pca = quality_of(baselines.pca, held_out);
  progress.advance(1);
  report.random = quality_of(baselines.random, held_out);
  progress.advance(1);
  return report;
}

}  // namespace

BaselineDictionaries fit_baselines(const RowSource& training, const RowScaling& scaling, const BaselineSize& size) {
  const int64_t rank = std::min(size.k, training.num_models() * training.d_model());
  const RowMoments moments = moments_of(normalise(scaling, sample_of(training, kRowsForPca)));
  return {.pca = fit_pca(moments, scaling, RowView::kModels, rank),
          .random = fit_random(sample_of(training, kRowsForRandom), scaling, size.num_latents, size.k, size.seed)};
}

DictionaryReport train_dictionary(const ActivationStore& store, const std::filesystem::path& folder,
                                  const DictionaryOptions& options, ProgressSink& progress) {
  const StoreInfo& info = store.info();
  const int64_t split = store.held_out_start(options.held_out);
  check(split > 0 && split < store.num_rows(), ErrorCode::kUsage,
        "[train] the {} rows of {} leave no text to hold out; capture more texts.", store.num_rows(), info.hook_point);
  const RowRange training(store, 0, split), held_out(store, split, store.num_rows() - split);
  make_folder(folder);
  std::filesystem::remove(folder / kQualityFile);
  const Crosscoder crosscoder =
      train_crosscoder(options.training, training, store_scaling(store),
                       {.folder = folder, .resume = options.resume, .checkpoint_every = options.checkpoint_every}, progress);
  save_crosscoder(crosscoder,
                  {.base = info.base,
                   .target = info.target,
                   .hook_point = info.hook_point,
                   .base_hook_point = info.base_hook_point,
                   .tokenizer = info.tokenizer,
                   .num_training_rows = split},
                  folder);
  DictionaryReport report = measure(crosscoder, training, held_out, options.training, progress);
  report.hook_point = info.hook_point;
  write_file_atomically(folder / kQualityFile, to_pretty_json(fields_to_json(report)));
  return report;
}

DictionaryReport load_dictionary_report(const std::filesystem::path& folder) {
  const auto path = folder / kQualityFile;
  DictionaryReport report;
  fields_from_json(parse_json(read_file(path, "dictionary"), "dictionary", path.string()), report, {path.string(), ""});
  return report;
}

}  // namespace fi
