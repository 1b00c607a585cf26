#include "fi/activations/activation_writer.h"

#include <algorithm>
#include <utility>

#include "fi/core/error.h"
#include "fi/core/json_fields.h"
#include "fi/io/atomic_file.h"
#include "fi/io/safetensors.h"

namespace fi {
namespace {

constexpr double kLargestHalf = 65504.0;

TensorToWrite entry(const char* name, DType dtype, const at::Tensor& tensor) {
  return {name, dtype, tensor.sizes().vec(), {static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()}};
}

}  // namespace

ActivationWriter::ActivationWriter(Options options)
    : options_(std::move(options)), statistics_(options_.num_models, options_.d_model) {
  make_folder(options_.folder);
  std::filesystem::remove(options_.folder / "store.json");
  info_.num_models = options_.num_models;
  info_.d_model = options_.d_model;
  info_.rows_per_shard = options_.rows_per_shard;
  info_.base = options_.base;
  info_.target = options_.target;
  info_.relation = options_.relation;
  info_.tokenizer = options_.tokenizer;
  info_.target_tokenizer = options_.target_tokenizer;
  info_.hook_point = options_.hook_point;
  info_.base_hook_point = options_.base_hook_point;
  info_.widths = options_.widths;
  info_.outlier_factor = options_.outlier_factor;
  shard_ = at::empty({options_.rows_per_shard, options_.num_models, options_.d_model}, at::kHalf);
}

void ActivationWriter::append(const at::Tensor& rows, std::span<const RowPlace> places) {
  invariant(rows.dim() == 3 && rows.size(0) == static_cast<int64_t>(places.size()) && rows.size(1) == options_.num_models &&
                rows.size(2) == options_.d_model,
            "rows are [n, {}, {}] with n places", options_.num_models, options_.d_model);
  check(at::isfinite(rows).all().item<bool>(), ErrorCode::kNumeric,
        "[activations] a row of {} is not finite; run the model in fp32.", options_.hook_point);
  if (limits_.defined()) return keep(rows, places);
  waiting_.push_back(rows.clone());
  waiting_places_.insert(waiting_places_.end(), places.begin(), places.end());
  num_waiting_ += rows.size(0);
  if (num_waiting_ >= options_.rows_for_median) settle_median();
}

void ActivationWriter::settle_median() {
  const at::Tensor rows = at::cat(waiting_);
  const at::Tensor medians = std::get<0>(rows.norm(2, {2}).median(0));
  for (int64_t m = 0; m < options_.num_models; ++m) info_.median_norms.push_back(medians[m].item<double>());
  limits_ = medians * options_.outlier_factor;
  waiting_.clear();
  keep(rows, std::exchange(waiting_places_, {}));
}

void ActivationWriter::keep(const at::Tensor& rows, std::span<const RowPlace> places) {
  const at::Tensor ordinary = rows.norm(2, {2}).le(limits_).all(1);
  const at::Tensor fits = rows.abs().amax({1, 2}).le(kLargestHalf);
  for (int64_t i = 0; i < rows.size(0); ++i) {
    if (!ordinary[i].item<bool>()) {
      ++info_.num_masked_outliers;
    } else if (!fits[i].item<bool>()) {
      ++info_.num_masked_overflow;
    } else {
      shard_[static_cast<int64_t>(shard_places_.size())].copy_(rows[i]);
      shard_places_.push_back(places[static_cast<size_t>(i)]);
      if (static_cast<int64_t>(shard_places_.size()) == options_.rows_per_shard) write_shard(options_.rows_per_shard);
    }
  }
}

void ActivationWriter::write_shard(int64_t count) {
  const at::Tensor rows = shard_.narrow(0, 0, count);
  statistics_.add(rows.to(at::kFloat));
  const std::vector<TensorToWrite> entries = {
      entry("rows", DType::kF16, rows),
      {"places", DType::kI32, {count, 3}, std::as_bytes(std::span<const RowPlace>(shard_places_))}};
  write_safetensors(shard_path(options_.folder, num_shards_++), entries, {});
  info_.num_rows += count;
  shard_places_.clear();
}

StoreInfo ActivationWriter::finish(std::vector<std::string> text_categories, Masked masked) {
  if (!limits_.defined() && num_waiting_ > 0) settle_median();
  if (!shard_places_.empty()) write_shard(static_cast<int64_t>(shard_places_.size()));
  check(info_.num_rows > 0, ErrorCode::kUsage, "[activations] no row was kept; give more or longer texts.");
  info_.text_categories = std::move(text_categories);
  info_.num_masked_first = masked.first;
  info_.num_masked_special = masked.special;
  info_.num_masked_repeated = masked.repeated;
  info_.num_masked_unaligned = masked.unaligned;
  const at::Tensor mean = statistics_.mean(), scale = statistics_.scale();
  write_safetensors(options_.folder / "scaling.safetensors",
                    {entry("mean", DType::kF32, mean), entry("scale", DType::kF32, scale)}, {});
  write_file_atomically(options_.folder / "store.json", to_pretty_json(fields_to_json(info_)));
  return info_;
}

}  // namespace fi
