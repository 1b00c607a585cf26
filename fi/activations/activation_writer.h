#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include "fi/activations/activation_store.h"
#include "fi/activations/row_statistics.h"

namespace fi {

/// Writes an ActivationStore row by row. Norm outliers rule a residual stream (in SmolLM2 up to 100 times the median), so rows
/// whose norm in either model exceeds `outlier_factor` times that model's median over the first rows are left out and counted.
class ActivationWriter {
 public:
  struct Options {
    std::filesystem::path folder;
    std::string base;
    std::string target;
    std::string relation;  // see StoreInfo, as target_tokenizer
    std::string tokenizer;
    std::string target_tokenizer;
    std::string hook_point;
    std::string base_hook_point;  // see StoreInfo, as widths
    int64_t num_models = 2;
    int64_t d_model = 0;
    std::vector<int64_t> widths;
    int64_t rows_per_shard = 16384;
    int64_t rows_for_median = 4096;  // held back in memory until the median is known
    double outlier_factor = 4.0;
  };

  /// Removes the store.json of an older store in the folder: what it describes is about to change.
  explicit ActivationWriter(Options options);

  /// `rows` [n, num_models, d_model] fp32 with the place of each. kNumeric if a number is not finite.
  void append(const at::Tensor& rows, std::span<const RowPlace> places);

  /// Rows that the caller left out before, for the record.
  struct Masked {
    int64_t first = 0;      // position 0
    int64_t special = 0;    // special tokens
    int64_t repeated = 0;   // what texts begin with alike
    int64_t unaligned = 0;  // without a token of the target's own that ends there
  };
  /// Writes what is left, and store.json last. `text_categories` by text index. kUsage if no row was kept. Call once.
  StoreInfo finish(std::vector<std::string> text_categories, Masked masked);

 private:
  void settle_median();
  void keep(const at::Tensor& rows, std::span<const RowPlace> places);
  void write_shard(int64_t count);

  Options options_;
  StoreInfo info_;
  RowStatistics statistics_;
  at::Tensor limits_;  // [num_models] largest norm kept; undefined until the median is settled
  std::vector<at::Tensor> waiting_;
  std::vector<RowPlace> waiting_places_;
  int64_t num_waiting_ = 0;
  at::Tensor shard_;  // [rows_per_shard, num_models, d_model] fp16
  std::vector<RowPlace> shard_places_;
  int64_t num_shards_ = 0;
};

}  // namespace fi
