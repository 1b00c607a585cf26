#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "fi/activations/row_source.h"

namespace fi {

/// Where a row comes from.
struct RowPlace {
  int32_t text = 0;      // index of the text among all that were read
  int32_t position = 0;  // token position in it
  int32_t token = 0;     // token id there
};

/// What a store says about itself, in store.json: written last, so a folder without it is no store.
struct StoreInfo {
  int64_t format = 1;
  int64_t num_models = 0;       // 2; twice the layers where a dictionary reads several: the base's, then the target's
  int64_t d_model = 0;          // of the widest model
  std::vector<int64_t> widths;  // by model, where they differ: rows are 0 beyond; empty: all are d_model wide
  int64_t num_rows = 0;
  int64_t rows_per_shard = 0;   // of every shard but the last
  std::string hook_point;       // such as "resid_post.20", or "resid_post.12+20" of two layers
  std::string base_hook_point;  // the base's, where it is another: models of other depths
  std::string base;
  std::string target;
  std::string relation;                      // of the models, as in a report: "fine-tune", "unrelated", ...; "": not known
  std::string tokenizer;                     // fingerprint of the one whose ids places hold: the base's
  std::string target_tokenizer;              // of the target's own, where it reads other ids
  std::vector<std::string> text_categories;  // by text index
  double outlier_factor = 0.0;               // rows above this times a model's median norm were left out
  std::vector<double> median_norms;          // by model
  int64_t num_masked_first = 0;              // left out: position 0
  int64_t num_masked_special = 0;            // left out: special tokens
  int64_t num_masked_repeated = 0;   // left out: what texts begin with alike: a system prompt, a prompt before its second answer
  int64_t num_masked_unaligned = 0;  // left out: the target, with a tokenizer of its own, has no token that ends there
  int64_t num_masked_outliers = 0;   // left out: norm in either model
  int64_t num_masked_overflow = 0;   // left out: a number beyond fp16
};

template <typename Visit>
void visit_fields(StoreInfo& s, Visit&& visit) {
  visit("format", s.format);
  visit("num_models", s.num_models);
  visit("d_model", s.d_model);
  visit("widths", s.widths);
  visit("num_rows", s.num_rows);
  visit("rows_per_shard", s.rows_per_shard);
  visit("hook_point", s.hook_point);
  visit("base_hook_point", s.base_hook_point);
  visit("base", s.base);
  visit("target", s.target);
  visit("relation", s.relation);
  visit("tokenizer", s.tokenizer);
  visit("target_tokenizer", s.target_tokenizer);
  visit("text_categories", s.text_categories);
  visit("outlier_factor", s.outlier_factor);
  visit("median_norms", s.median_norms);
  visit("num_masked_first", s.num_masked_first);
  visit("num_masked_special", s.num_masked_special);
  visit("num_masked_repeated", s.num_masked_repeated);
  visit("num_masked_unaligned", s.num_masked_unaligned);
  visit("num_masked_outliers", s.num_masked_outliers);
  visit("num_masked_overflow", s.num_masked_overflow);
}

/// Whether a row of one model can be set against a vector of the other, as classes of latents do: rows of equal width after the
/// same block, of models that share an ancestor (where nobody looked at that: that read the same ids).
bool has_one_space(const StoreInfo& info);

/// Paired rows on disk: fp16 shards, mapped, so that memory does not grow with their number. Layout: shard_00000.safetensors ...
/// with `rows` [n, num_models, d_model] F16 and `places` [n, 3] I32 (RowPlace); scaling.safetensors with `mean` and `scale`.
class ActivationStore : public RowSource {
 public:
  /// kNotFound, or kInvalid naming the file and what does not fit.
  static ActivationStore open(const std::filesystem::path& folder);

  const StoreInfo& info() const { return info_; }
  int64_t num_rows() const override { return info_.num_rows; }
  int64_t num_models() const override { return info_.num_models; }
  int64_t d_model() const override { return info_.d_model; }
  at::Tensor gather(std::span<const int64_t> indices) const override;
  RowPlace place(int64_t row) const;
  /// The first row of the last texts that hold at least `fraction` of all rows: a split that no text crosses.
  int64_t held_out_start(double fraction) const;
  const at::Tensor& mean() const { return mean_; }    // [num_models, d_model]
  const at::Tensor& scale() const { return scale_; }  // [num_models], see RowStatistics

 private:
  struct Shard;

  StoreInfo info_;
  std::vector<std::shared_ptr<const Shard>> shards_;
  at::Tensor mean_;
  at::Tensor scale_;
};

std::filesystem::path shard_path(const std::filesystem::path& folder, int64_t shard);

}  // namespace fi
