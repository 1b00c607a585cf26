#include "fi/features/delphi_cache.h"

#include <algorithm>

#include "fi/core/error.h"
#include "fi/core/json.h"
#include "fi/dictionary/quality.h"
#include "fi/io/atomic_file.h"
#include "fi/io/safetensors.h"

namespace fi {
namespace {

constexpr int64_t kDelphiWindow = 256;  // its default context
constexpr int64_t kDelphiExample = 32;  // its default example, which windows are cut into
constexpr int64_t kDelphiRows = 512;
constexpr double kSmallest = 1e-5, kLargestHalf = 65504.0;

/// Codes above 0 of one range of latents, in the order of the rows.
struct SplitActivations {
  int64_t first = 0;               // latent
  int64_t last = 0;                // inclusive
  std::vector<int32_t> locations;  // window, position, latent
  std::vector<at::Half> activations;
};

std::vector<SplitActivations> splits_of(int64_t num_latents, int64_t num_splits) {
  std::vector<SplitActivations> splits;
  const int64_t count = std::clamp<int64_t>(num_splits, 1, num_latents);
  for (int64_t i = 0; i < count; ++i)
    splits.push_back({.first = i * num_latents / count, .last = (i + 1) * num_latents / count - 1});
  return splits;
}

// delphi fails on a file without activations, and on latents between two files: ranges without any join their neighbour.
std::vector<SplitActivations> without_empty(std::vector<SplitActivations> splits) {
  std::vector<SplitActivations> kept;
  for (SplitActivations& split : splits) {
    if (split.activations.empty() && !kept.empty()) kept.back().last = split.last;
    if (split.activations.empty()) continue;
    if (kept.empty()) split.first = 0;
    kept.push_back(std::move(split));
  }
  return kept;
}

TensorToWrite tensor_of(const char* name, DType dtype, std::vector<int64_t> shape, std::span<const std::byte> bytes) {
  return {.name = name, .dtype = dtype, .shape = std::move(shape), .bytes = bytes};
}

class DelphiWriter {
 public:
  DelphiWriter(const Crosscoder& crosscoder, const ActivationStore& store, const std::vector<std::vector<int32_t>>& texts,
               int64_t num_splits)
      : crosscoder_(crosscoder), store_(store), texts_(texts), splits_(splits_of(crosscoder.num_latents(), num_splits)) {
    for (const std::vector<int32_t>& text : texts) {
      starts_.push_back(static_cast<int64_t>(tokens_.size()));
      tokens_.insert(tokens_.end(), text.begin(), text.end());
    }
    const auto all = static_cast<int64_t>(tokens_.size());
    check(all >= kDelphiExample, ErrorCode::kUsage, "[export] the texts have {} tokens, delphi needs {} or more; capture more.",
          all, kDelphiExample);
    cache_.window = std::min(kDelphiWindow, all / kDelphiExample * kDelphiExample);
    cache_.num_windows = all / cache_.window;
    tokens_.resize(static_cast<size_t>(cache_.num_windows * cache_.window));
  }

  void collect(ProgressSink& sink) {
    StageProgress progress(sink, "latent activations", store_.num_rows(), "rows");
    for (int64_t first = 0; first < store_.num_rows(); first += kDelphiRows) {
      check_interrupt();
      const int64_t count = std::min(kDelphiRows, store_.num_rows() - first);
      const at::Tensor rows = view_rows(crosscoder_.view, read_rows(store_, first, count));
      add(first, scaled_codes(crosscoder_, encode(crosscoder_, rows)).contiguous());
      progress.advance(count);
    }
  }

  DelphiCache write(const std::filesystem::path& folder) {
    std::filesystem::remove_all(folder);  // ranges of another dictionary would be read along with these
    make_folder(folder);
    for (SplitActivations& split : without_empty(std::move(splits_))) {
      const auto n = static_cast<int64_t>(split.activations.size());
      for (size_t i = 2; i < split.locations.size(); i += 3) split.locations[i] -= static_cast<int32_t>(split.first);
      write_safetensors(
          folder / fmt::format("{}_{}.safetensors", split.first, split.last),
          {tensor_of("locations", DType::kI32, {n, 3}, std::as_bytes(std::span(split.locations))),
           tensor_of("activations", DType::kF16, {n}, std::as_bytes(std::span(split.activations))),
           tensor_of("tokens", DType::kI64, {cache_.num_windows, cache_.window}, std::as_bytes(std::span(tokens_)))},
          {});
      cache_.num_activations += n;
      ++cache_.num_files;
    }
    check(cache_.num_files > 0, ErrorCode::kUsage,
          "[export] no latent is active on the stored rows; take the dictionary's own rows.");
    write_file_atomically(folder / "config.json", to_pretty_json(config()));
    return cache_;
  }

 private:
  void add(int64_t first_row, const at::Tensor& codes) {
    const at::Tensor active = codes.gt(kSmallest).nonzero().contiguous();
    const int64_t* places = active.const_data_ptr<int64_t>();
    const float* values = codes.const_data_ptr<float>();
    for (int64_t i = 0; i < active.size(0); ++i) {
      const int64_t row = places[2 * i], latent = places[2 * i + 1];
      const int64_t token = token_of(first_row + row);
      if (token >= static_cast<int64_t>(tokens_.size())) continue;
      SplitActivations& split = split_of(latent);
      for (const int64_t part : {token / cache_.window, token % cache_.window, latent})
        split.locations.push_back(static_cast<int32_t>(part));
      const double value = values[row * codes.size(1) + latent];
      split.activations.emplace_back(static_cast<float>(std::min(value, kLargestHalf)));
    }
  }

  SplitActivations& split_of(int64_t latent) {
    const auto above = std::find_if(splits_.begin(), splits_.end(), [&](const SplitActivations& s) { return latent <= s.last; });
    return *above;
  }

  // Where a row's token stands when all texts stand end to end.
  int64_t token_of(int64_t row) const {
    const RowPlace place = store_.place(row);
    const bool is_there = place.text >= 0 && static_cast<size_t>(place.text) < texts_.size() && place.position >= 0 &&
                          static_cast<size_t>(place.position) < texts_[static_cast<size_t>(place.text)].size() &&
                          texts_[static_cast<size_t>(place.text)][static_cast<size_t>(place.position)] == place.token;
    check(is_there, ErrorCode::kIncompatible,
          "[export] row {} is of token {} at position {} of text {}, which the texts do not have.", row, place.token,
          place.position, place.text);
    return starts_[static_cast<size_t>(place.text)] + place.position;
  }

  // The fields of delphi's CacheConfig; the data set has no name there that it could be loaded by.
  Json config() const {
    return {{"dataset_repo", ""},
            {"dataset_split", ""},
            {"dataset_name", ""},
            {"dataset_column", "text"},
            {"batch_size", 1},
            {"cache_ctx_len", cache_.window},
            {"n_tokens", cache_.num_windows * cache_.window},
            {"n_splits", cache_.num_files},
            {"model_name", store_.info().base}};
  }

  const Crosscoder& crosscoder_;
  const ActivationStore& store_;
  const std::vector<std::vector<int32_t>>& texts_;
  std::vector<SplitActivations> splits_;
  std::vector<int64_t> starts_;  // of each text
  std::vector<int64_t> tokens_;
  DelphiCache cache_;
};

}  // namespace

DelphiCache write_delphi_cache(const Crosscoder& crosscoder, const ActivationStore& store,
                               const std::vector<std::vector<int32_t>>& texts, const std::filesystem::path& folder,
                               ProgressSink& progress, int64_t num_splits) {
  check_rows_fit(crosscoder, store);
  DelphiWriter writer(crosscoder, store, texts, num_splits);
  writer.collect(progress);
  return writer.write(folder);
}

}  // namespace fi
